//! Settings from flags, files and surroundings, and what is said about those that cannot be.

use std::collections::BTreeSet;

use super::*;

const COMPLETE: &str = r#"
listen = "127.0.0.1:9000"
data_dir = "~/panes"
shell = "/bin/sh"
cwd = "/"
no_auth = true
allowed_hosts = ["term.example.org", "box:8080", "[fd00::1]:7433"]
allowed_origins = ["https://term.example.org"]
inherit_env = ["EDITOR"]
pane_tokens = "everywhere"
[env]
PAGER = "less"
[input]
held_bytes = 1024
held_secs = 5
held_away_secs = 6
ready_ceiling_ms = 0
resume_secs = 1
[output]
ring_bytes = 65536
scrollback_lines = 100
scrollback_bytes = 4096
saved_bytes = 0
[layout]
coalesce_ms = 0
[respawn]
first_backoff_ms = 10
attempts = 2
[connection]
ping_secs = 1
pong_within_secs = 2
stalled_secs = 3
[wake]
command = ["sh", "-c", "wake $EVERPANE_NODE"]
timeout_secs = 1
return_secs = 2
attempts = 3
give_up_secs = 4
[wake.nodes."web.1"]
http = { url = "https://example.org/{node}/wake", method = "PUT", headers = { Authorization = "Bearer x" } }
timeout_secs = 5
[limits]
viewers = 1
panes = 2
spawns = 3
[nodes]
local = true
ttl_secs = 30
host_silence_secs = 20
tape_bytes = 131072
when_full = "drop"
max = 10
root = "~/work"
agent_command = ["agent", "--here"]
[client]
gateway = "https://term.example.org"
detach_keys = "ctrl-a d"
escape = "none"
prefix = "ctrl-a"
"#;

fn surroundings() -> Surroundings {
    let variables = [("HOME", "/home/ada"), ("SHELL", "/bin/sh"), ("PATH", "/usr/bin:/bin")];
    Surroundings {
        variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        passwd: "root:x:0:0::/root:/bin/bash\nada:x:1000:1000:Ada:/home/lovelace:/bin/zsh\n\
                 web:x:33:33::/var/www:/usr/sbin/nologin\n"
            .to_owned(),
        uid: 1000,
    }
}

fn load(text: &str, flags: Overrides) -> Result<Config, ConfigError> {
    let settings = file::parse(Path::new("e.toml"), text)?;
    Config::merge(settings, flags, &surroundings())
}

fn refusal(text: &str) -> String {
    let message = load(text, Overrides::default()).expect_err(text).to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn the_defaults() {
    let config = load("", Overrides::default()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:7433");
    assert!(config.data_dir.ends_with("everpane"));
    assert_eq!(config.shell, Path::new("/bin/sh"));
    assert_eq!(config.cwd, Path::new("/home/ada"));
    assert!(!config.no_auth);
    assert_eq!(config.token, None);
    assert_eq!(config.pane_tokens, PaneTokens::Local);
    assert_eq!(
        config.input,
        Input {
            held_bytes: 262_144,
            held_secs: 30,
            held_away_secs: 60,
            ready_ceiling_ms: 1000,
            resume_secs: 600
        }
    );
    assert_eq!(
        config.output,
        Output {
            ring_bytes: 1_048_576,
            scrollback_lines: 10_000,
            scrollback_bytes: 8_388_608,
            saved_bytes: 262_144,
        }
    );
    assert_eq!(config.layout, Layout { coalesce_ms: 3 });
    assert_eq!(config.respawn, Respawn { first_backoff_ms: 250, attempts: 5 });
    assert_eq!(config.connection, Connection { ping_secs: 15, pong_within_secs: 45, stalled_secs: 60 });
    assert_eq!(
        config.wake,
        Wake {
            command: None,
            http: None,
            timeout_secs: 30,
            return_secs: 30,
            attempts: 5,
            give_up_secs: 60,
            nodes: BTreeMap::new(),
        }
    );
    assert_eq!(config.limits, Limits { viewers: 512, panes: 100_000, spawns: 8, waits: 1024 });
    assert_eq!(config.nodes, Nodes { root: "/home/ada".into(), ..Nodes::default() });
}

#[test]
fn flags_win_over_the_file_and_the_file_over_the_defaults() {
    let config = load(COMPLETE, Overrides::default()).unwrap();
    assert_eq!(config.listen.port(), 9000);
    assert_eq!(config.data_dir, Path::new("/home/ada/panes"));
    assert!(config.no_auth);
    assert_eq!(config.pane_tokens, PaneTokens::Everywhere);
    assert_eq!(config.limits.panes, 2);
    assert_eq!((config.nodes.local, config.nodes.ttl_secs), (true, 30));
    assert_eq!((config.nodes.host_silence_secs, config.nodes.tape_bytes), (20, 128 << 10));
    assert_eq!(config.nodes.when_full, WhenFull::Drop);
    assert_eq!(config.nodes.root, Path::new("/home/ada/work"));

    let flags = Overrides {
        listen: Some("127.0.0.1:1".parse().unwrap()),
        data_dir: Some("/d".into()),
        shell: Some("/s".into()),
        cwd: Some("/c".into()),
        no_auth: false,
        no_local_node: true,
        node_ttl: Some(5),
    };
    let config = load(COMPLETE, flags).unwrap();
    assert_eq!((config.nodes.local, config.nodes.ttl_secs), (false, 5));
    assert_eq!(config.listen.port(), 1);
    let paths = [&config.data_dir, &config.shell, &config.cwd];
    assert_eq!(paths.map(PathBuf::as_path), ["/d", "/s", "/c"].map(Path::new));
    assert!(load("", Overrides { no_auth: true, ..Overrides::default() }).unwrap().no_auth);
}

#[test]
fn the_list_of_keys_is_the_list_of_fields() {
    let mut settings = file::parse(Path::new("e.toml"), COMPLETE).unwrap();
    // Either of them excludes the other, but both are keys.
    for node in settings.wake.nodes.values_mut() {
        settings.wake.http = node.http.clone();
        node.command = settings.wake.command.clone();
    }
    let value = toml::Table::try_from(settings).unwrap();
    let mut found = BTreeSet::new();
    keys(&value, "", &mut found);
    assert_eq!(found, file::KEYS.iter().map(ToString::to_string).collect());
}

fn keys(table: &toml::Table, prefix: &str, found: &mut BTreeSet<String>) {
    for (name, value) in table {
        let key = file::known_as(prefix, name);
        if let Some(inner) = value.as_table().filter(|_| !file::FREE_TABLES.contains(&key.as_str())) {
            keys(inner, &key, found);
        }
        found.insert(key);
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    let cases = [
        ("lisen = 1", 1, "lisen", "listen"),
        ("\n\nshel = \"/bin/sh\"", 3, "shel", "shell"),
        ("[input]\nheld_byte = 1", 2, "input.held_byte", "input.held_bytes"),
        ("[inputs]\nheld_bytes = 1", 1, "inputs", "input"),
        ("held_bytes = 1", 1, "held_bytes", "input.held_bytes"),
        ("[output]\nheld_bytes = 1", 2, "output.held_bytes", "input.held_bytes"),
        ("limits = { panes = 1, viewer = 2 }", 1, "limits.viewer", "limits.viewers"),
        ("allowed-origins = []", 1, "allowed-origins", "allowed_origins"),
        ("[wake]\ncomand = []", 2, "wake.comand", "wake.command"),
        ("[wake.nodes.x]\nhtp = 1", 2, "wake.nodes.ID.htp", "wake.nodes.ID.http"),
        ("[wake.nodes.x.http]\nuri = 1", 2, "wake.nodes.ID.http.uri", "wake.nodes.ID.http.url"),
    ];
    for (text, line, key, nearest) in cases {
        let wanted = format!("e.toml:{line}: there is no setting `{key}`; did you mean `{nearest}`?");
        assert_eq!(refusal(text), wanted);
    }
    load("[env]\nanything = \"goes\"", Overrides::default()).unwrap();
    load("[wake.http]\nurl = \"http://x\"\nheaders.Anything = \"goes\"", Overrides::default()).unwrap();
}

#[test]
fn a_broken_file_is_one_line_with_its_place() {
    let cases = [
        ("a = \n", "e.toml:1: "),
        ("shell = \"/bin/sh\"\n[input\n", "e.toml:2: "),
        ("\n[input]\nheld_secs = \"long\"", "e.toml:3: input.held_secs: invalid type"),
        ("listen = \"nowhere\"", "e.toml:1: listen: "),
        ("[limits]\npanes = -1", "e.toml:2: limits.panes: invalid value"),
        (
            "pane_tokens = \"nowhere\"",
            "e.toml:1: pane_tokens: invalid value: string \"nowhere\", expected \"none\", ",
        ),
        ("pane_tokens = 1", "e.toml:1: pane_tokens: invalid type: integer `1`, expected \"none\", "),
        ("input = 5", "e.toml:1: input: invalid type"),
        ("shell = \"/a\"\nshell = \"/b\"", "e.toml:2: "),
    ];
    for (text, start) in cases {
        let message = refusal(text);
        assert!(message.starts_with(start), "{message}");
    }
    let missing = Config::load(Some(Path::new("/no/such.toml")), Overrides::default(), &surroundings());
    assert!(missing.unwrap_err().to_string().starts_with("cannot read the config file /no/such.toml"));
}

#[test]
fn pane_tokens_can_still_be_switched_on_and_off() {
    let written =
        |text: &str| load(&format!("pane_tokens = {text}"), Overrides::default()).unwrap().pane_tokens;
    let names = [r#""none""#, r#""local""#, "false", "true"];
    assert_eq!(
        names.map(written),
        [PaneTokens::None, PaneTokens::Local, PaneTokens::None, PaneTokens::Local]
    );
}

#[test]
fn a_value_out_of_bounds_is_named_with_what_is_allowed() {
    let cases = [
        ("[input]\nheld_secs = 0", "input.held_secs = 0 cannot be: 1 to 3600 is allowed"),
        ("[output]\nring_bytes = 1", "output.ring_bytes = 1 cannot be: 65536 to 268435456 is allowed"),
        (
            "[output]\nsaved_bytes = 67108865",
            "output.saved_bytes = 67108865 cannot be: 0 to 67108864 is allowed",
        ),
        ("[respawn]\nattempts = 0", "respawn.attempts = 0 cannot be: 1 to 100 is allowed"),
        ("[connection]\nping_secs = 0", "connection.ping_secs = 0 cannot be: 1 to 3600 is allowed"),
        (
            "[connection]\npong_within_secs = 0",
            "connection.pong_within_secs = 0 cannot be: 1 to 3600 is allowed",
        ),
        (
            "[connection]\nstalled_secs = 3601",
            "connection.stalled_secs = 3601 cannot be: 1 to 3600 is allowed",
        ),
        ("[limits]\nspawns = 5000", "limits.spawns = 5000 cannot be: 1 to 1024 is allowed"),
        ("[nodes]\nttl_secs = 0", "nodes.ttl_secs = 0 cannot be: 1 to 86400 is allowed"),
        ("[nodes]\nhost_silence_secs = 9", "nodes.host_silence_secs = 9 cannot be: 10 to 86400 is allowed"),
        ("[nodes]\ntape_bytes = 1", "nodes.tape_bytes = 1 cannot be: 131072 to 67108864 is allowed"),
        ("[nodes]\nmax = 0", "nodes.max = 0 cannot be: 1 to 100000 is allowed"),
        ("no_auth = true\nlisten = \"0.0.0.0:1\"", "no_auth = true with listen = 0.0.0.0:1 cannot be: "),
        ("allowed_hosts = [\"http://x\"]", "allowed_hosts = http://x cannot be: "),
        ("allowed_hosts = [\"*\"]", "allowed_hosts = * cannot be: "),
        ("allowed_hosts = [\"\"]", "allowed_hosts =  cannot be: "),
        ("allowed_origins = [\"https://x/\"]", "allowed_origins = https://x/ cannot be: "),
        ("allowed_origins = [\"https://X\"]", "allowed_origins = https://X cannot be: "),
        ("allowed_origins = [\"null\"]", "allowed_origins = null cannot be: "),
        ("inherit_env = [\"EVERPANE_TOKEN\"]", "inherit_env = EVERPANE_TOKEN cannot be: "),
        ("[env]\n\"A=B\" = \"\"", "env = A=B cannot be: "),
    ];
    for (text, start) in cases {
        let message = refusal(text);
        assert!(message.starts_with(start), "{message}");
    }
}

#[test]
fn what_cannot_wake_a_node_is_named_with_what_is_wanted() {
    let http = |rest: &str| format!("[wake]\nhttp = {{ {rest} }}");
    let url = |url: &str| http(&format!("url = \"{url}\""));
    let cases = [
        (
            "[wake]\ncommand = [\"sh\"]\nhttp = { url = \"http://x\" }".to_owned(),
            "wake = command and http cannot be: one of them is wanted, not both",
        ),
        ("[wake]\ncommand = []".to_owned(), "wake.command = [] cannot be: a program and its arguments are"),
        ("[wake]\ncommand = [\"\"]".to_owned(), "wake.command = [\"\"] cannot be: a program"),
        (
            "[wake]\ncommand = [\"sh\", \"\\u0000\"]".to_owned(),
            "wake.command = [\"sh\", \"\\0\"] cannot be: ",
        ),
        ("[wake]\ntimeout_secs = 0".to_owned(), "wake.timeout_secs = 0 cannot be: 1 to 600 is allowed"),
        ("[wake]\ngive_up_secs = 3601".to_owned(), "wake.give_up_secs = 3601 cannot be: 1 to 3600 is"),
        (
            "[wake.nodes.\"web.1\"]\ntimeout_secs = 5".to_owned(),
            "wake.nodes.\"web.1\" = without command and http cannot be: one of them is wanted",
        ),
        (
            "[wake.nodes.a]\ncommand = [\"sh\"]\ntimeout_secs = 601".to_owned(),
            "wake.nodes.\"a\".timeout_secs = 601 cannot be: 1 to 600 is allowed",
        ),
        ("[wake.nodes.a]\ncommand = []".to_owned(), "wake.nodes.\"a\".command = [] cannot be: "),
        (http("method = \"GET\""), "e.toml:2: wake.http: missing field `url`"),
        (url("example.org/wake"), "wake.http.url = example.org/wake cannot be: an address is wanted, as in "),
        (url("ftp://example.org/"), "wake.http.url = ftp://example.org/ cannot be: "),
        (url("http:///wake"), "wake.http.url = http:///wake cannot be: "),
        (url("http://{node}/wake"), "wake.http.url = http://{node}/wake cannot be: "),
        (url("http://me:secret@x/"), "wake.http.url = http://me:secret@x/ cannot be: "),
        (url("http://x/a b"), "wake.http.url = http://x/a b cannot be: "),
        (
            http("url = \"http://x\", method = \"post\""),
            "wake.http.method = post cannot be: one of GET, POST,",
        ),
        (
            http("url = \"http://x\", headers = { \"a b\" = \"\" }"),
            "wake.http.headers = a b cannot be: a header",
        ),
        (http("url = \"http://x\", headers = { a = \"b\\n\" }"), "wake.http.headers = a cannot be: a header"),
    ];
    for (text, start) in cases {
        let message = refusal(&text);
        assert!(message.starts_with(start), "{message}");
    }
    let address = "url = \"http://[::1]:8080/{node}?n={node}\"";
    let wake = load(&http(address), Overrides::default()).unwrap().wake;
    let http = wake.http.unwrap();
    assert_eq!((http.method.as_str(), http.headers.len()), ("POST", 0));
}

#[test]
fn wake_commands_are_found_at_the_start() {
    let resolve = |text: &str| {
        let text = format!("cwd = \"/\"\n{text}");
        load(&text, Overrides::default()).unwrap().resolve(&surroundings())
    };
    let found = resolve("wake.command = [\"sh\", \"-c\", \":\"]").unwrap().wake.command.unwrap();
    assert!(found[0].starts_with('/') && found[0].ends_with("/sh") && found[1..] == ["-c", ":"]);
    let missing = resolve("wake.nodes.a.command = [\"/no/such\"]").unwrap_err().to_string();
    assert_eq!(missing, "wake.nodes.\"a\".command = /no/such cannot be: no such program: /no/such");
}

#[test]
fn the_token_comes_from_the_environment_and_is_checked() {
    let with = |token: &str| {
        let mut surroundings = surroundings();
        surroundings.variables.insert("EVERPANE_TOKEN".into(), token.into());
        Config::merge(Settings::default(), Overrides::default(), &surroundings)
    };
    assert_eq!(with("sixteen-letters-").unwrap().token.unwrap().secret(), "sixteen-letters-");
    for token in ["", "short"] {
        let message = format!("{:#}", anyhow::Error::from(with(token).unwrap_err()));
        assert!(message.starts_with("EVERPANE_TOKEN: the token has"), "{message}");
    }
}

#[test]
fn the_shell_is_the_users() {
    let shell = |variable: Option<&str>, uid| {
        let mut surroundings = Surroundings { uid, ..surroundings() };
        surroundings.variables.remove("SHELL");
        surroundings.variables.extend(variable.map(|shell| ("SHELL".to_owned(), shell.to_owned())));
        surroundings.login_shell().display().to_string()
    };
    assert_eq!(shell(Some("/bin/fish"), 1000), "/bin/fish");
    assert_eq!(shell(Some(""), 1000), "/bin/zsh");
    assert_eq!(shell(None, 1000), "/bin/zsh");
    assert_eq!(shell(None, 33), "/bin/sh", "an account closed to logins has no shell of its own");
    assert_eq!(shell(None, 4711), "/bin/sh");
}

#[test]
fn the_home_is_the_users() {
    let mut surroundings = surroundings();
    assert_eq!(surroundings.home(), Some("/home/ada".into()));
    surroundings.variables.remove("HOME");
    assert_eq!(surroundings.home(), Some("/home/lovelace".into()));
    surroundings.uid = 4711;
    assert_eq!(surroundings.home(), None);
}

#[test]
fn what_cannot_be_started_is_found_at_the_start() {
    let resolve = |flags: Overrides| load("cwd = \"/\"", flags).unwrap().resolve(&surroundings());
    let shell = |shell: &str| resolve(Overrides { shell: Some(shell.into()), ..Overrides::default() });
    assert_eq!(shell("/bin/sh").unwrap().shell, Path::new("/bin/sh"));
    assert!(shell("sh").unwrap().shell.is_absolute());
    let cases = [
        ("/no/such/shell", "shell = /no/such/shell cannot be: no such program: /no/such/shell"),
        (
            "no-such-shell",
            "shell = no-such-shell cannot be: no program `no-such-shell` in the search path; give its full path, or \
             install it",
        ),
        (
            "/etc/passwd",
            "shell = /etc/passwd cannot be: /etc/passwd can't be executed; is it a program, with execute permission?",
        ),
        ("/bin", "shell = /bin cannot be: /bin can't be executed; is it a program, with execute permission?"),
    ];
    for (name, wanted) in cases {
        assert_eq!(shell(name).unwrap_err().to_string(), wanted);
    }
    let cwd = resolve(Overrides { cwd: Some("/no/such".into()), ..Overrides::default() });
    assert_eq!(cwd.unwrap_err().to_string(), "cwd = /no/such cannot be: there is no such directory");
}

fn environment(text: &str, variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let config = load(text, Overrides::default()).unwrap();
    let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    shell_environment(&config, &Surroundings { variables, ..surroundings() }).into_iter().collect()
}

#[test]
fn shells_get_what_the_list_allows_and_no_secret() {
    let secrets = [
        ("EVERPANE_TOKEN", "s1"),
        ("EVERPANE_LOG", "s2"),
        ("AWS_SECRET_ACCESS_KEY", "s3"),
        ("GITHUB_TOKEN", "s4"),
        ("DATABASE_URL", "s5"),
    ];
    let allowed = [
        ("HOME", "/home/ada"),
        ("PATH", "/opt/bin"),
        ("LC_TIME", "de_DE.UTF-8"),
        ("LANG", "en_GB.UTF-8"),
        ("SSH_AUTH_SOCK", "/run/agent"),
        ("https_proxy", "http://proxy"),
    ];
    let environment = environment("", &[&secrets[..], &allowed[..], &[("TERM", "dumb")]].concat());
    for (name, value) in allowed {
        assert_eq!(environment[name], value);
    }
    for (name, _) in secrets {
        assert!(!environment.contains_key(name), "{name}");
    }
    assert_eq!(environment["TERM"], "xterm-256color");
    assert_eq!(environment["COLORTERM"], "truecolor");
    assert_eq!(environment["TERM_PROGRAM"], "everpane");
    assert_eq!(environment["TERM_PROGRAM_VERSION"], env!("CARGO_PKG_VERSION"));
    assert_eq!(environment["SHELL"], "/bin/sh");
}

#[test]
fn commands_get_what_shells_inherit_and_no_more() {
    let text = "inherit_env = [\"CLOUD_PROFILE\"]\n[env]\nPAGER = \"less\"";
    let config = load(text, Overrides::default()).unwrap();
    let variables =
        [("PATH", "/bin"), ("CLOUD_PROFILE", "dev"), ("EVERPANE_TOKEN", "s1"), ("GITHUB_TOKEN", "s2")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let environment = command_environment(&config, &Surroundings { variables, ..surroundings() });
    let names: Vec<_> = environment.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["CLOUD_PROFILE", "HOME", "LANG", "LOGNAME", "PATH", "USER"]);
}

#[test]
fn shells_get_what_the_settings_add() {
    let text = "inherit_env = [\"EDITOR\", \"ABSENT\"]\n[env]\nPAGER = \"less\"\nPATH = \"/mine\"";
    let environment = environment(text, &[("EDITOR", "vi"), ("PATH", "/opt/bin")]);
    assert_eq!(environment["EDITOR"], "vi");
    assert_eq!(environment["PAGER"], "less");
    assert_eq!(environment["PATH"], "/mine", "what is set wins over what is inherited");
    assert!(!environment.contains_key("ABSENT"));
}

#[test]
fn shells_started_from_nothing_still_work() {
    let environment = environment("", &[("HOME", "/home/ada"), ("LANG", "")]);
    assert_eq!(environment["PATH"], super::environment::DEFAULT_PATH);
    assert_eq!(environment["USER"], "ada");
    assert_eq!(environment["LOGNAME"], "ada");
    assert_eq!(environment["LANG"], "C.UTF-8");
}
