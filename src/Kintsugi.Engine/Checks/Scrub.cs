namespace Kintsugi;

/// <summary>One round of due checks over a server, in the order of trust, within a budget.</summary>
public sealed class Scrub(IReadOnlyList<ICheck> checks, IPatientSource source, TimeProvider clock, IProgress<ScrubProgress>? progress)
{
    /// <summary>What an interrupted scrub has proven already, and where this one keeps it.</summary>
    public IScrubJournal? Journal { get; init; }

    /// <summary>What earlier scrubs have proven: it orders a scrub with a time limit and lets an incremental one skip.</summary>
    public ScrubHistory History { get; init; } = ScrubHistory.None;

    /// <summary>Where large pieces are offered to other nodes; null for a scrub that is done here alone.</summary>
    public IUnitOffice? Office { get; init; }

    public async ValueTask<ScrubReport> Run(ScrubSettings settings, CancellationToken cancellationToken)
    {
        var started = clock.GetUtcNow();
        var due = checks.Where(settings.Wants).OrderBy(check => check.Layer).ToList();
        var deadline = settings.TimeLimit is { } limit ? started + limit : DateTimeOffset.MaxValue;
        var record = new ScrubRecord(clock, progress, Journal);
        var places = settings.Databases is { } only ? source.Databases.Where(only.Contains) : source.Databases.Prepend<string?>(null);
        var rooms = places.Select(database => new ScrubRoom(source, database, settings, record, clock)
        {
            Due = [.. due.Where(check => check.Scope == (database is null ? Scope.Server : Scope.Database))],
            Deadline = deadline,
            Journal = Journal,
            History = History,
            Office = Office,
        }).ToList();

        var turns = settings.TimeLimit is null
            ? await ByLayer(rooms, cancellationToken)
            : await InTurns(rooms, settings, deadline, cancellationToken);
        foreach (var (database, why) in source.Closed.Where(_ => settings.Databases is null))
            record.Note("connect", new Target { Server = source.Server.SystemIdentifier, Database = database, Kind = TargetKind.Database },
                new Verdict.Unchecked(why));

        var finished = clock.GetUtcNow();
        return new ScrubReport(started, finished, record.Examinations)
        {
            TimeLimitReached = finished >= deadline,
            Depth = settings.Depth,
            Turns = turns,
        };
    }

    private static async ValueTask<IReadOnlyList<(string, string)>> ByLayer(List<ScrubRoom> rooms, CancellationToken cancellationToken)
    {
        foreach (var room in rooms)
        {
            await using var bench = room.Enter();
            foreach (var layer in room.Due.GroupBy(check => check.Layer))
            {
                var work = new List<(ICheck Check, Portion Portion)>();
                foreach (var check in layer)
                    work.AddRange(await room.Divide(check, bench, cancellationToken));
                await room.Run(work, bench, cancellationToken);
            }
        }
        return [];
    }

    /// <returns>The tables that had their turn.</returns>
    private async ValueTask<IReadOnlyList<(string, string)>> InTurns(
        List<ScrubRoom> rooms, ScrubSettings settings, DateTimeOffset deadline, CancellationToken cancellationToken)
    {
        var turns = new List<(ScrubRoom Room, Turn Turn)>();
        foreach (var room in rooms)
        {
            await using var bench = room.Enter();
            var work = new List<(ICheck Check, Portion Portion)>();
            foreach (var check in room.Due)
                work.AddRange(await room.Divide(check, bench, cancellationToken));
            if (work.Count == 0)
                continue;
            turns.AddRange(Turns.Arrange(room.Database, work, await bench.Inventory(cancellationToken), settings.Depth, History)
                .Select(turn => (room, turn)));
        }
        var had = new List<(string, string)>();
        foreach (var together in Turns.InOrder(turns.Select(pair => pair.Turn)))
        {
            var room = rooms.First(room => room.Database == together[0].Database);
            if (clock.GetUtcNow() < deadline)
                had.AddRange(together.Where(turn => turn.Table is not null).Select(turn => (turn.Database ?? "", turn.Table!)));
            await using var bench = room.Enter();
            foreach (var layer in together.SelectMany(turn => turn.Work).GroupBy(item => item.Check.Layer).OrderBy(layer => layer.Key))
                await room.Run([.. layer], bench, cancellationToken);
        }
        return had;
    }
}
