# bash completion for hooks. The program itself answers, so ids and events are the registry's.

_hooks() {
    local IFS=$'\n' rest=${COMP_LINE:0:COMP_POINT} last=-1 number piece blank
    local -a words=()
    # bash splits words at = and : as well; the program wants them as they were typed.
    for ((number = 0; number <= COMP_CWORD; number++)); do
        blank=${rest%%[![:space:]]*}
        rest=${rest#"$blank"}
        piece=${COMP_WORDS[number]}
        ((number == COMP_CWORD)) && piece=$rest
        rest=${rest#"$piece"}
        if [[ -n $blank || $number -eq 0 ]]; then
            words[++last]=
        fi
        # Without the quotes, which are the shell's own.
        words[last]+=${piece//[\'\"\\]/}
    done
    # What stands before the last break stays on the line as it is.
    local kept=${words[last]%"${2//[\'\"\\]/}"} answer reply
    COMPREPLY=()
    answer=$(HOOKS_COMPLETE=bash _CLAP_IFS=$IFS _CLAP_COMPLETE_INDEX=$last \
        _CLAP_COMPLETE_COMP_TYPE=$COMP_TYPE _CLAP_COMPLETE_SPACE=false \
        hooks -- "${words[@]}" 2>/dev/null) && [[ -n $answer ]] || return
    while read -r reply; do
        reply=${reply#"$kept"}
        case $piece in
        \"* | \'*) ;;
        \~/*) printf -v reply '%s%q' \~/ "${reply#\~/}" ;;
        *) printf -v reply %q "$reply" ;;
        esac
        # A comma needs no quotes.
        COMPREPLY+=("${reply//\\,/,}")
    done <<<"$answer"
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/=] ]]; then
        # A directory goes on. (bash 3, as on macOS, has no compopt.)
        compopt -o nospace 2>/dev/null
    fi
}

complete -o nosort -F _hooks hooks 2>/dev/null || complete -F _hooks hooks
