# Completion of fxwire for bash; needs the package bash-completion.

_fxwire() {
    local cur prev words cword commands options arguments word i
    _init_completion || return
@table bash-words
    case $prev in
@table bash-values
    esac
    local command=run
    for ((i = 1; i < cword; i++)); do
        word=${words[i]}
        [[ $word == --env-file || $word == --wait ]] && ((i++)) && continue
        [[ $word == -* ]] && continue
        command=$word
        break
    done
    options="" arguments=""
    case $command in
@table bash-commands
    esac
    if ((i >= cword)); then # no command stands before this word
        arguments=$commands
    elif [[ $arguments == FILE ]]; then
        [[ $cur == -* ]] || { _filedir; return; }
        arguments=""
    fi
    # shellcheck disable=SC2207 # words are wanted
    COMPREPLY=($(compgen -W "$options $arguments" -- "$cur"))
}
complete -F _fxwire fxwire
