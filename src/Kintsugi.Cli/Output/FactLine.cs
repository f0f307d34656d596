using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Output;

/// <summary>Each fact of a case as it is recorded, for the person who watches a healing.</summary>
internal sealed class FactLine(CliContext context, bool verbose) : IProgress<Fact>
{
    public void Report(Fact value)
    {
        if (!verbose && value.Kind is Facts.Found or Facts.Done)
            return;
        context.Error.WriteLine($"  {value.Kind,-10} {value.Summary}");
    }
}
