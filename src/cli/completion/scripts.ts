// What a shell is given so that it completes: a function that asks the command itself. It asks the one of the project, if
// there is one, and takes only lines with a tab, since a configuration may print what it likes.

/** Shells that are known. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

/** Name of a shell. */
export type Shell = (typeof SHELLS)[number];

const BASH = `# millrace completion bash: eval "$(millrace completion bash)"
_millrace() {
  local line command=millrace
  [ -x ./node_modules/.bin/millrace ] && command=./node_modules/.bin/millrace
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in *$'\\t'*) COMPREPLY+=("\${line%%$'\\t'*}") ;; esac
  done < <("$command" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _millrace millrace
`;

const ZSH = `#compdef millrace
# millrace completion zsh: eval "$(millrace completion zsh)"
_millrace() {
  local line command=millrace
  local -a found
  [[ -x ./node_modules/.bin/millrace ]] && command=./node_modules/.bin/millrace
  for line in "\${(@f)$("$command" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ $line == *$'\\t'* ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( $#found )); then _describe millrace found; else _files; fi
}
compdef _millrace millrace
`;

const FISH = `# millrace completion fish | source
function __millrace_complete
    set -l command millrace
    test -x ./node_modules/.bin/millrace; and set command ./node_modules/.bin/millrace
    set -l before (commandline -opc)[2..-1]
    set -l current (commandline -ct)
    $command complete -- $before "$current" 2>/dev/null | string match -e \\t
end
complete -c millrace -a '(__millrace_complete)'
`;

const POWERSHELL = `# millrace completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName millrace -ScriptBlock {
    param($word, $tree, $position)
    $command = 'millrace'
    if (Test-Path ./node_modules/.bin/millrace) { $command = './node_modules/.bin/millrace' }
    $words = @($tree.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
    if ($word -eq '') { $words += '' }
    & $command complete -- @words 2>$null | Where-Object { $_.Contains("\`t") } | ForEach-Object {
        $text, $about = $_ -split "\`t", 2
        [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', "$about ")
    }
}
`;

/** The script of each shell. */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: BASH,
  zsh: ZSH,
  fish: FISH,
  powershell: POWERSHELL,
};
