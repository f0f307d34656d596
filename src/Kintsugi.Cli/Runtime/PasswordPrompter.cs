using System.Text;

namespace Kintsugi.Cli.Runtime;

/// <summary>Reads a password from the terminal without showing it.</summary>
internal static class PasswordPrompter
{
    public static async ValueTask<Secret> Read(CliContext context, CancellationToken cancellationToken)
    {
        var typed = new StringBuilder();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter)
                break;
            if (key.Key == ConsoleKey.Backspace && typed.Length > 0)
                typed.Length--;
            else if (!char.IsControl(key.KeyChar))
                typed.Append(key.KeyChar);
        }
        await context.Error.WriteLineAsync();
        return new Secret(typed.ToString());
    }
}
