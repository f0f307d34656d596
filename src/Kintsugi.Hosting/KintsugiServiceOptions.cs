using Kintsugi.Postgres.Connecting;
using Kintsugi.State;
using Microsoft.Extensions.Configuration;

namespace Kintsugi.Hosting;

/// <summary>What the service takes from around its process.</summary>
public sealed record KintsugiServiceOptions
{
    /// <summary>Null is a configuration of defaults.</summary>
    public string? ConfigurationFile { get; init; }

    /// <summary>The section of an application's own settings, instead of a file; it is read at the start.</summary>
    public IConfiguration? Settings { get; init; }

    /// <summary>Flags; they win over the file where it names one target.</summary>
    public ConnectionRequest Request { get; init; } = new();
    public ConnectionSurroundings Around { get; init; } = ConnectionSurroundings.OfThisProcess();

    /// <summary>Null is $KINTSUGI_STATE, the XDG state directory, or /var/lib/kintsugi.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>How long runs of jobs are kept.</summary>
    public TimeSpan HistoryKept { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How long a repair may go on when the service is stopped, before it is cancelled and tidied up.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(30);

    internal StateDirectory OpenState() => Kintsugi.State.StateDirectory.Open(Kintsugi.State.StateDirectory.Locate(StateDirectory, Around.Variable));
}
