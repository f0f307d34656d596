using System.CommandLine;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Commands;

/// <summary>What the daemon does: this program only hands over to it.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var command = new Command("serve", "Watch and heal without a person: kintsugi serve -c config.yaml --listen 127.0.0.1:9432.")
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        command.SetAction(parsed => ServerProgram.Become([.. parsed.UnmatchedTokens]));
        return command;
    }

    public static Command Alerts()
    {
        var command = new Command("alerts", "Try the receivers of alerts.");
        var test = new Command("test", "Send a test message to every receiver and say what became of it: kintsugi alerts test -c config.yaml.")
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        test.SetAction(parsed => ServerProgram.Become(["alerts", "test", .. parsed.UnmatchedTokens]));
        command.Add(test);
        return command;
    }
}
