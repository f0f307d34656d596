using Kintsugi.Configuration.Shapes;

namespace Kintsugi.Configuration.Tables;

/// <summary><c>snapshots:</c></summary>
internal static class SnapshotTable
{
    private static readonly Key<int> Last = new("last", Is.Whole(1, 1_000_000), "So many are always kept.", 5);
    private static readonly Key<int?> Days = new(
        "days", new Lifted<int>(Is.Whole(1, 36_500)), "Older ones go, except the last; left out, age does not matter.");
    private static readonly Key<long?> Size = new(
        "size", new Lifted<long>(Is.Size), "Above this the oldest go, except the last; left out, there is no limit.");

    private static readonly Mapping<(int Last, int? Days, long? Size)> KeepShape = new(
        [Last, Days, Size], values => (values.Get(Last), values.Get(Days), values.Get(Size)));

    private static readonly Key<string?> Directory = new(
        "directory", Is.Path!, "Where snapshots are kept; left out, in the state directory.");
    private static readonly Key<SnapshotProvider> Provider = new(
        "provider", Is.OneOf(("copy", SnapshotProvider.Copy), ("stop_copy_start", SnapshotProvider.StopCopyStart), ("command", SnapshotProvider.Command)),
        "How the whole cluster is copied: copy while it runs; stop_copy_start; command runs a command of yours.", SnapshotProvider.Copy);
    private static readonly Key<string?> Command = new("command", Is.Text!, "The command, with provider: command.");
    private static readonly Key<string?> Stop = new("stop", Is.Text!, "With stop_copy_start: the command that stops the server; left out, pg_ctl.");
    private static readonly Key<string?> Start = new("start", Is.Text!, "With stop_copy_start: the command that starts it; left out, pg_ctl.");
    private static readonly Key<(int Last, int? Days, long? Size)> Keep = new(
        "keep", KeepShape, "How many are kept, how long, how much.", (5, null, null));

    private static readonly Key<long?> Rate = new(
        "max_rate", new Lifted<long>(Is.Size), "Bytes a second that copies write at most; left out, as fast as the disk goes.");

    public static readonly SnapshotConfiguration Default = new(null, SnapshotProvider.Copy, null, 5, null, null);

    public static readonly Mapping<SnapshotConfiguration> Shape = new(
        [Directory, Provider, Command, Stop, Start, Rate, Keep],
        values =>
        {
            if ((values.Get(Provider) == SnapshotProvider.Command) != values.Has(Command))
            {
                values.Mistake(values.Has(Command) ? Command : Provider, "provider: command and command: … go together; give both or neither");
            }

            if (values.Has(Stop) != values.Has(Start) || (values.Has(Stop) && values.Get(Provider) != SnapshotProvider.StopCopyStart))
            {
                values.Mistake(values.Has(Stop) ? Stop : Start, "stop: and start: go together, with provider: stop_copy_start");
            }

            var keep = values.Get(Keep);
            return new SnapshotConfiguration(
                values.Get(Directory), values.Get(Provider), values.Get(Command),
                keep.Last, keep.Days is { } days ? TimeSpan.FromDays(days) : null, keep.Size)
            {
                Stop = values.Get(Stop),
                Start = values.Get(Start),
                Rate = values.Get(Rate),
            };
        });
}

/// <summary><c>ledger:</c></summary>
internal static class LedgerTable
{
    private static readonly Key<string?> Sqlite = new("sqlite", Is.Path!, "A file; left out, ledger.db in the state directory.");
    private static readonly Key<Secret?> Postgres = new(
        "postgres", SecretText.Any!, "A connection to a database that is not under care; needed for several nodes.");

    private static readonly Key<bool> AllowOnTarget = new(
        "allow_on_target", Is.Flag, "true: the ledger may lie on a server that is under care, and is lost with it.", false);
    private static readonly Key<TimeSpan> Lease = new(
        "lease", Is.Duration, "A node that was silent for so long is followed by another (3s to 1h).", TimeSpan.FromSeconds(10));

    public static readonly LedgerConfiguration Default = new(null, null);

    public static readonly Mapping<LedgerConfiguration> Shape = new(
        [Sqlite, Postgres, AllowOnTarget, Lease],
        values =>
        {
            if (values.Has(Sqlite) && values.Has(Postgres))
            {
                values.Mistake("there is one ledger: give sqlite or postgres");
            }

            var lease = values.Get(Lease);
            if (lease < TimeSpan.FromSeconds(3) || lease > TimeSpan.FromHours(1))
            {
                values.Mistake(Lease, "a lease is 3s to 1h: shorter ones are lost by a node that is only busy");
            }

            return new(values.Get(Sqlite), values.Get(Postgres)) { AllowOnTarget = values.Get(AllowOnTarget), Lease = lease };
        });
}

/// <summary><c>logging:</c></summary>
internal static class LoggingTable
{
    private static readonly Key<LoggingLevel> Level = new(
        "level",
        Is.OneOf(
            ("trace", LoggingLevel.Trace), ("debug", LoggingLevel.Debug), ("information", LoggingLevel.Information),
            ("warning", LoggingLevel.Warning), ("error", LoggingLevel.Error), ("critical", LoggingLevel.Critical)),
        "The least level that is written.", LoggingLevel.Information);
    private static readonly Key<LoggingFormat> Format = new(
        "format", Is.OneOf(("text", LoggingFormat.Text), ("json", LoggingFormat.Json)),
        "text for people, json with stable event ids for machines.", LoggingFormat.Text);

    public static readonly LoggingConfiguration Default = new(LoggingLevel.Information, LoggingFormat.Text);

    public static readonly Mapping<LoggingConfiguration> Shape = new(
        [Level, Format], values => new(values.Get(Level), values.Get(Format)));
}
