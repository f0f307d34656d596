using System.CommandLine;
using Kintsugi.Cli.Runtime;
using Kintsugi.Configuration;

namespace Kintsugi.Cli.Commands;

/// <summary>The configuration file: write a commented one, find every mistake in one, describe it to an editor.</summary>
internal static class ConfigCommand
{
    public static Command Create(CliContext context)
    {
        var command = new Command("config", "Write, check or describe the configuration file.");
        command.Add(Init(context));
        command.Add(Check(context));
        var schema = new Command("schema", "Print the JSON Schema of the file, for editors.");
        schema.SetAction(async (_, _) =>
        {
            await context.Out.WriteLineAsync(ConfigurationSchema.Text());
            return ExitCodes.Sound;
        });
        command.Add(schema);
        return command;
    }

    private static Command Init(CliContext context)
    {
        var init = new Command("init", "Print a whole configuration file with comments, or write it to a new file.");
        var file = new Argument<string?>("file") { Description = "a file that does not exist yet", Arity = ArgumentArity.ZeroOrOne };
        init.Add(file);
        init.SetAction(async (parsed, stop) =>
        {
            if (parsed.GetValue(file) is not { } path)
            {
                await context.Out.WriteAsync(ConfigurationTemplate.Text);
                return ExitCodes.Sound;
            }
            try
            {
                await using var to = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
                await to.WriteAsync(System.Text.Encoding.UTF8.GetBytes(ConfigurationTemplate.Text), stop);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                throw new UsageException($"{path} was not written: {problem.Message}");
            }
            await context.Out.WriteLineAsync($"wrote {path}; kintsugi config check {path} tells every mistake in it");
            return ExitCodes.Sound;
        });
        return init;
    }

    private static Command Check(CliContext context)
    {
        var check = new Command("check", "Tell every mistake in a configuration file, with line and column.");
        var file = new Argument<string?>("file") { Description = "default: $KINTSUGI_CONFIG", Arity = ArgumentArity.ZeroOrOne };
        check.Add(file);
        check.SetAction(async (parsed, _) =>
        {
            var path = parsed.GetValue(file) ?? context.Variable("KINTSUGI_CONFIG")
                ?? throw new UsageException("name the file, or set $KINTSUGI_CONFIG");
            var read = ConfigurationFile.Load(path, context);
            await context.Out.WriteLineAsync($"{path}: no mistakes; {Output.Text.Count(read.Targets.Count, "target")}");
            return ExitCodes.Sound;
        });
        return check;
    }
}
