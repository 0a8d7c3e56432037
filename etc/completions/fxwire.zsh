#compdef fxwire

_fxwire() {
  local -a commands
  commands=(
@table zsh-commands
  )
  _arguments -C '--env-file[settings come from a file]:file:_files' \
    '--help[print a help]' '--version[print the version]' \
    '--show-messages[log each message]' '--no-watchdog[start no watchdog]' \
    '1:command:->command' '*::argument:->argument'
  case $state in
  command) _describe command commands ;;
  argument)
    case $words[1] in
@table zsh-arguments
    esac ;;
  esac
}

_fxwire "$@"
