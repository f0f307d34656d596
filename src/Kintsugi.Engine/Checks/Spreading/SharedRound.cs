using System.Collections.Concurrent;

namespace Kintsugi;

/// <summary>The units of one round: this node's workers do what no other node has, and wait for the rest.</summary>
internal sealed class SharedRound(ScrubRoom room, IUnitOffice office, IReadOnlyList<Unit> units)
{
    private readonly ConcurrentDictionary<string, Unit> open = new(units.ToDictionary(unit => unit.Key));

    /// <summary>Parts what may be done elsewhere from the rest of a round, and offers it.</summary>
    /// <returns>Null with all of the work where nothing is worth it.</returns>
    public static async ValueTask<(SharedRound? Shared, IReadOnlyList<Work> Own)> Begin(
        ScrubRoom room, IUnitOffice? office, IReadOnlyList<Work> round, Inventory? inventory, CancellationToken cancellationToken)
    {
        if (office is null || room.Database is null)
            return (null, round);
        // A name that two pieces of a check bear says nothing to another node.
        var units = round.Where(work => work.Pieces is [{ Settled: null, Relation: not null } piece] && office.IsWorth(piece)
                && room.StandsFirmly(work.Check, piece, inventory))
            .Select(work => (Work: work, Unit: new Unit(PieceKey.Of(work.Check.Id, work.Pieces[0]), work.Check, work.Pieces[0])))
            .GroupBy(pair => pair.Unit.Key).Where(same => same.Count() == 1).Select(same => same.First()).ToList();
        if (units.Count < 2)
            return (null, round);
        await office.Offer([.. units.Select(pair => pair.Unit)], cancellationToken);
        var offered = units.Select(pair => pair.Work).ToHashSet<Work>(ReferenceEqualityComparer.Instance);
        return (new SharedRound(room, office, [.. units.Select(pair => pair.Unit)]), [.. round.Where(work => !offered.Contains(work))]);
    }

    /// <param name="toTheEnd">Until the last answer is there; otherwise as long as a unit is to be had.</param>
    public async ValueTask Join(PatientBench bench, bool toTheEnd, CancellationToken cancellationToken)
    {
        while (!open.IsEmpty)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Collect(bench, cancellationToken);
            await TakeBackDoubted(bench, cancellationToken);
            if (await office.Take(cancellationToken) is { } key)
                await Do(key, bench, cancellationToken);
            else if (!toTheEnd)
                return;
            else if (!open.IsEmpty)
                await office.Rest(cancellationToken);
        }
    }

    private async ValueTask Collect(PatientBench bench, CancellationToken cancellationToken)
    {
        var patient = await bench.Take(cancellationToken);
        IReadOnlyDictionary<string, UnitAnswer> answers;
        try
        {
            answers = await office.Collect(patient, cancellationToken);
        }
        finally
        {
            bench.Give(patient);
        }
        foreach (var (key, answer) in answers)
            if (open.TryRemove(key, out var unit))
                room.Accept(unit, answer, bench.Any);
    }

    /// <summary>What a crash has put in doubt meanwhile is not for others to run into.</summary>
    private async ValueTask TakeBackDoubted(PatientBench bench, CancellationToken cancellationToken)
    {
        var doubted = open.Where(pair => room.IsDoubted(pair.Value.Piece)).Select(pair => pair.Key).ToList();
        if (doubted.Count == 0)
            return;
        foreach (var key in await office.Withdraw(doubted, cancellationToken))
            if (open.TryRemove(key, out var unit))
                room.Accept(unit, await room.Conclude(unit.Check, unit.Piece, bench, cancellationToken), bench.Any);
    }

    private async ValueTask Do(string key, PatientBench bench, CancellationToken cancellationToken)
    {
        var unit = open[key];
        var patient = await bench.Take(cancellationToken);
        try
        {
            await office.Begin(key, patient, cancellationToken);
        }
        finally
        {
            bench.Give(patient);
        }
        var answer = await room.Conclude(unit.Check, unit.Piece, bench, cancellationToken);
        await office.Answer(key, answer, cancellationToken);
        if (open.TryRemove(key, out _))
            room.Accept(unit, answer, bench.Any);
    }
}
