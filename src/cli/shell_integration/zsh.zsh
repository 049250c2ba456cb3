# Everpane: says where prompts, commands and their output begin and end. For zsh:
#   eval "$(everpane shell-integration zsh)"
if [[ -o interactive && -z ${__everpane_marks-} ]]; then
    typeset -g __everpane_marks=starting __everpane_sp=

    # The mark of a last line without end would count as the command's output: it is shown after that.
    if [[ -o prompt_sp && -o prompt_cr && -z ${PROMPT_EOL_MARK+set} ]]; then
        __everpane_sp=on
        setopt no_prompt_sp
    fi

    # Before everything else at a prompt, while $? is the command's.
    __everpane_ended() {
        local code=$?
        [[ $__everpane_marks == on ]] && builtin printf '\e]133;D;%s\a' $code
        __everpane_marks=on
        [[ -n $__everpane_sp ]] && builtin print -nP "%B%S%#%s%b${(l:COLUMNS-1:)}\r \r"
        [[ $PWD == *[[:cntrl:]]* ]] || builtin printf '\e]7;file://%s%s\a' "${HOST-}" "${PWD//\%/%25}"
        return $code
    }

    # After everything else, which may have made a prompt anew.
    __everpane_prompt() {
        local code=$?
        [[ $PS1 == *'133;A'* ]] || PS1=$'%{\e]133;A\a%}'$PS1$'%{\e]133;B\a%}'
        return $code
    }

    __everpane_starts() {
        local line=${1//\\/\\\\}
        line=${line//;/\\x3b}
        line=${line//[[:cntrl:]]/ }
        builtin printf '\e]633;E;%s\a\e]133;C\a' "$line"
    }

    typeset -ga precmd_functions preexec_functions
    precmd_functions=(__everpane_ended $precmd_functions __everpane_prompt)
    preexec_functions+=(__everpane_starts)
fi
