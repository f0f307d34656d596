using System.CommandLine;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Commands;

/// <summary>Prints what a shell needs to complete our commands; the words themselves come from the [suggest] directive of the program.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # eval "$(kintsugi completion bash)"
        _kintsugi() {
          local line=${COMP_LINE#* } IFS=$'\n'
          local at=$(( COMP_POINT - (${#COMP_LINE} - ${#line}) ))
          COMPREPLY=( $(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$at]" "$line" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}") )
        }
        complete -o default -F _kintsugi kintsugi
        """;

    private const string Zsh = """
        # eval "$(kintsugi completion zsh)"
        _kintsugi() {
          local line="${words[2,$CURRENT]}"
          local -a found
          found=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
          compadd -a found
        }
        compdef _kintsugi kintsugi
        """;

    private const string Fish = """
        # kintsugi completion fish | source
        function __kintsugi_words
          set -l line (commandline -cp | string replace -r '^\S+\s' '')
          kintsugi "[suggest:"(string length -- $line)"]" "$line" 2>/dev/null
        end
        complete -c kintsugi -a '(__kintsugi_words)'
        """;

    private const string PowerShell = """
        # kintsugi completion pwsh | Out-String | Invoke-Expression
        Register-ArgumentCompleter -Native -CommandName kintsugi -ScriptBlock {
          param($word, $tree, $cursor)
          $line = $tree.ToString() -replace '^\S+\s?', ''
          kintsugi "[suggest:$($line.Length)]" "$line" | Where-Object { $_ -like "$word*" } |
            ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
        }
        """;

    public static Command Create(CliContext context)
    {
        var command = new Command("completion", "Print the completion script of a shell: bash, zsh, fish or pwsh.");
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        command.Add(shell);
        command.SetAction(async (parsed, _) =>
        {
            await context.Out.WriteLineAsync(parsed.GetValue(shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                "fish" => Fish,
                _ => PowerShell,
            });
            return ExitCodes.Sound;
        });
        return command;
    }
}
