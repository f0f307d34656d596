using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres.Files.Checksums;

namespace Kintsugi.Cli.Output;

/// <summary>How far a pass over files has got, on one line of a terminal.</summary>
internal sealed class BytesLine(CliContext context, bool quiet) : IProgress<ChecksumProgress>, IDisposable
{
    private readonly Lock gate = new();
    private bool shown;

    public void Report(ChecksumProgress value)
    {
        if (quiet || !context.ErrorIsTerminal)
            return;
        lock (gate)
        {
            shown = true;
            var share = value.BytesTotal == 0 ? 1 : (double)value.BytesDone / value.BytesTotal;
            context.Error.Write($"\r\u001b[K{share,4:P0}  {value.BytesDone >> 20:N0}/{value.BytesTotal >> 20:N0} MB");
        }
    }

    public void Dispose()
    {
        if (shown)
            context.Error.Write("\r\u001b[K");
    }
}
