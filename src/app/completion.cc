#include <cstdio>

#include "app/commands.h"
#include "fmt/format.h"

namespace weir::app {
namespace {

constexpr char kBash[] = R"(# bash completion for weir; put it into /etc/bash_completion.d/weir
_weir() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local commands="run validate print-config components schema load version completion"
  local options="--config --set --feature-gates --help --version"
  case $previous in
    --config) COMPREPLY=($(compgen -f -- "${current#file:}")); return ;;
    completion) COMPREPLY=($(compgen -W "bash zsh" -- "$current")); return ;;
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ $COMP_CWORD == 1 ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
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
    'components:lists the components of this build'
    'schema:prints the JSON Schema of the configuration'
    'load:sends generated telemetry over OTLP'
    'version:prints the version'
    'completion:prints a completion script'
  )
  _arguments -C \
    '*--config[where the configuration is]:location:_files' \
    '*--set[overrides one value]:key=value:' \
    '--feature-gates[accepted for compatibility]:gates:' \
    '(-h --help)'{-h,--help}'[shows help]' \
    '(-v --version)'{-v,--version}'[prints the version]' \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument) [[ $words[1] == completion ]] && _values shell bash zsh || _files ;;
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
