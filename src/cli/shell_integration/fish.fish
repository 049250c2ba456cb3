# Everpane: says where prompts, commands and their output begin and end. For fish 3; later ones do it by themselves:
#   everpane shell-integration fish | source
if status is-interactive; and not set -q __everpane_marks; and string match -qr '^[0-3]\.' -- $version
    set -g __everpane_marks on

    function __everpane_starts --on-event fish_preexec
        set -l line (string replace -a '\\' '\\\\' -- $argv[1] | string replace -a ';' '\\x3b' | string join ' ')
        printf '\e]633;E;%s\a\e]133;C\a' (string replace -ar '[[:cntrl:]]' ' ' -- $line)
    end

    function __everpane_ended --on-event fish_postexec
        printf '\e]133;D;%s\a' $status
        set -g __everpane_told on
    end

    function __everpane_prompt --on-event fish_prompt
        # A line without a command makes a new prompt as well.
        set -q __everpane_told; or printf '\e]133;D\a'
        set -e __everpane_told
        printf '\e]133;A\a'
        string match -qr '[[:cntrl:]]' -- $PWD
        or printf '\e]7;file://%s%s\a' (string escape --style=url -- $hostname $PWD)
    end
end
