#include <cstdio>

#include "app/commands.h"
#include "fmt/format.h"

namespace weir::app {
namespace {

constexpr char kBash[] = R"(# bash completion for weir; put it into /etc/bash_completion.d/weir
_weir() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local commands="run validate print-config diff components schema load journal version completion"
  local options="--config --set --feature-gates --watch --help --version"
  if [[ ${COMP_WORDS[1]} == load ]]; then
    options="--endpoint --protocol --signal --rate --concurrency --connections --items-per-request
      --item-size --duration --count --compression --header --timeout --retries --drain-timeout
      --seed --numbered --json --insecure --tls --ca-file --cert-file --key-file --server-name
      --insecure-skip-verify --help"
  fi
  if [[ ${COMP_WORDS[1]} == journal ]]; then
    options="--reader --signal --format --output --help"
  fi
  case $previous in
    --protocol) COMPREPLY=($(compgen -W "grpc http" -- "$current")); return ;;
    journal) COMPREPLY=($(compgen -W "inspect verify export forget" -- "$current")); return ;;
    --format) COMPREPLY=($(compgen -W "otlp_json otlp_proto" -- "$current")); return ;;
    --output | -o) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --signal) COMPREPLY=($(compgen -W "traces metrics logs all" -- "$current")); return ;;
    --compression) COMPREPLY=($(compgen -W "none gzip zstd snappy" -- "$current")); return ;;
    --ca-file | --cert-file | --key-file) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --config) COMPREPLY=($(compgen -f -- "${current#file:}")); return ;;
    completion) COMPREPLY=($(compgen -W "bash zsh" -- "$current")); return ;;
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ $COMP_CWORD == 1 ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  elif [[ ${COMP_WORDS[1]} == journal ]]; then
    COMPREPLY=($(compgen -d -- "$current"))
  fi
}
complete -o filenames -F _weir weir
)";

constexpr char kZsh[] = R"(#compdef weir
# zsh completion for weir; put it as _weir into a folder of $fpath
_weir() {
  local -a commands
  commands=(
    'run:runs the daemon (the default)'
    'validate:checks a configuration'
    'print-config:shows the merged configuration, each value with its origin'
    'diff:shows what a reload would touch'
    'components:lists the components of this build'
    'schema:prints the JSON Schema of the configuration'
    'load:sends generated telemetry over OTLP'
    'journal:looks into the durable queue of a daemon that does not run'
    'version:prints the version'
    'completion:prints a completion script'
  )
  _arguments -C \
    '*--config[where the configuration is]:location:_files' \
    '*--set[overrides one value]:key=value:' \
    '--feature-gates[accepted for compatibility]:gates:' \
    '--watch[reload when a file changes]' \
    '(-h --help)'{-h,--help}'[shows help]' \
    '(-v --version)'{-v,--version}'[prints the version]' \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
        completion) _values shell bash zsh ;;
        journal)
          _arguments \
            '1:command:(inspect verify export forget)' '2:directory:_directories' '3:reader:' \
            '--reader[only what waits for this exporter]:reader:' \
            '--signal[only this signal]:signal:(traces metrics logs)' \
            '--format[of the requests]:format:(otlp_json otlp_proto)' \
            '(-o --output)'{-o,--output}'[the file]:file:_files' \
            '(-h --help)'{-h,--help}'[shows help]'
          ;;
        load)
          _arguments \
            '--endpoint[where to send]:endpoint:' '--protocol[how]:protocol:(grpc http)' \
            '--signal[what]:signal:(traces metrics logs all)' '--rate[items a second]:items:' \
            '--concurrency[requests in flight]:requests:' '--connections[how many]:count:' \
            '--items-per-request[items in each]:items:' '--item-size[bytes of attributes]:size:' \
            '--duration[how long to send]:duration:' '--count[items to send]:items:' \
            '--compression[of bodies]:compression:(none gzip zstd snappy)' \
            '*--header[sent with every request]:name=value:' '--timeout[for one try]:duration:' \
            '--retries[tries after the first]:count:' '--seed[makes it repeatable]:number:' \
            '--drain-timeout[wait for the last answers]:duration:' \
            '--numbered[give each item its number]' '--json[print the summary as JSON]' \
            '--insecure[send in clear text]' '--tls[use TLS]' \
            '--ca-file[verify the server with]:file:_files' '--cert-file[own]:file:_files' \
            '--key-file[its key]:file:_files' '--server-name[to verify]:name:' \
            '--insecure-skip-verify[take any certificate]' '(-h --help)'{-h,--help}'[shows help]'
          ;;
        *) _files ;;
      esac
      ;;
  esac
}
_weir "$@"
)";

}  // namespace

int PrintCompletion(const std::string& shell) {
  fmt::print("{}", shell == "zsh" ? kZsh : kBash);
  return kExitOk;
}

}  // namespace weir::app
