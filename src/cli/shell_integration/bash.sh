# Everpane: says where prompts, commands and their output begin and end. For bash from 4.4 on:
#   eval "$(everpane shell-integration bash)"
if [[ $- == *i* && -z ${__everpane_marks-} ]]; then
    __everpane_marks=starting

    # Before everything else at a prompt, while $? is the command's.
    __everpane_ended() {
        local code=$?
        [[ $__everpane_marks == on ]] && builtin printf '\e]133;D;%s\a' "$code"
        __everpane_marks=on
        [[ $PWD == *[[:cntrl:]]* ]] || builtin printf '\e]7;file://%s%s\a' "${HOSTNAME-}" "${PWD//%/%25}"
        return "$code"
    }

    # After everything else, which may have made a prompt anew.
    __everpane_prompt() {
        local code=$?
        [[ $PS1 == *'133;A'* ]] || PS1='\[\e]133;A\a\]'$PS1'\[\e]133;B\a\]'
        [[ ${PS0-} == *__everpane_starts* ]] || PS0=${PS0-}'$(__everpane_starts)'
        return "$code"
    }

    __everpane_starts() {
        local line
        line=$(HISTTIMEFORMAT='' builtin history 1)
        line=${line#*[[:digit:]][* ] }
        line=${line//\\/\\\\}
        line=${line//;/\\x3b}
        line=${line//[[:cntrl:]]/ }
        builtin printf '\e]633;E;%s\a\e]133;C\a' "$line"
    }

    if [[ $(builtin declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
        PROMPT_COMMAND=(__everpane_ended "${PROMPT_COMMAND[@]}" __everpane_prompt)
    else
        PROMPT_COMMAND=__everpane_ended$'\n'${PROMPT_COMMAND-}$'\n'__everpane_prompt
    fi
fi
