using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>The inside of one batch's transaction.</summary>
internal sealed class RowSurgery(StepContext context, RowBatch batch, string schemaOwner)
{
    /// <summary>No index decides what is true of a row, as in the check that accused. Taken back before anything is written.</summary>
    private const string HeapAlone = "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off";

    private readonly WriteSession session = context.Session;
    private readonly RowJournal journal = new(context, schemaOwner);
    private readonly Dictionary<int, TableShape> shapes = [];

    public async ValueTask<StepResult> Operate(CancellationToken cancellationToken)
    {
        foreach (var table in batch.Locks)
            await session.Execute($"LOCK TABLE {table} IN SHARE MODE", cancellationToken);
        var (rows, skipped) = await LockAndLook(cancellationToken);
        if (rows.Count == 0)
        {
            await journal.Audit("rows-skipped", $"no row of {batch.Tables[0].Quoted} is as it was when the plan was made", 0, 0, cancellationToken);
            return new StepResult($"{Count(skipped)} changed since the plan was made and left alone");
        }
        var portions = new RowPortions(session, context.Clock, Treat);
        // What is true of the whole is not true of its parts.
        await portions.Try(rows, whole: batch.Proof.Length > 0 || batch.First.Count > 0, cancellationToken);
        long removed = portions.Done.Count(row => row.Row.Fate == RowFate.Remove), changed = portions.Done.Count - removed;
        var words = $"{context.Plan.Repair}: {batch.Tables[0].Quoted}: {removed} rows to quarantine, {changed} changed";
        List<string> left = [.. skipped == 0 ? Array.Empty<string>() : [$"{Count(skipped)} changed since the plan was made and left alone"],
            .. portions.Refused == 0 ? Array.Empty<string>() : [$"{Count(portions.Refused)} left as they were, the first because {portions.Why}"]];
        await journal.Audit("rows-repaired", string.Join("; ", left.Prepend(words)), removed, changed, cancellationToken);
        return new StepResult(left.Count == 0 ? null : string.Join("; ", left))
        {
            RowsQuarantined = removed,
            RowsChanged = changed,
        };
    }

    /// <summary>Puts the rows as they are away, changes them, and asks the rule once more.</summary>
    private async ValueTask Treat(IReadOnlyList<LockedRow> rows, CancellationToken cancellationToken)
    {
        await Keep(rows, cancellationToken);
        foreach (var statement in batch.First)
            await AsOwner(batch.Tables[0].Owner, () => session.Execute(statement, cancellationToken), cancellationToken);
        var places = await new RowChange(session, batch, journal, shapes).Apply(rows, AsOwner, cancellationToken);
        await AsOwner(batch.Tables[0].Owner, () => session.Execute("SET CONSTRAINTS ALL IMMEDIATE", cancellationToken), cancellationToken);
        await Prove(places, cancellationToken);
    }

    private static string Count(int rows) => rows == 1 ? "1 row was" : $"{rows} rows were";

    /// <summary>Locks the rows and leaves out every group of which one row is not what the plan saw.</summary>
    private async ValueTask<(IReadOnlyList<LockedRow> Rows, int Skipped)> LockAndLook(CancellationToken cancellationToken)
    {
        var found = new Dictionary<(int, string), RowImage>();
        foreach (var table in batch.Rows.GroupBy(row => row.Table))
        {
            var shape = await Shape(table.Key, cancellationToken);
            var images = await session.Rows(
                $"{RowImage.Select(shape)} WHERE {shape.Table.Row}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[]) FOR UPDATE",
                RowImage.Read, cancellationToken, (object)table.Select(row => row.Place).ToArray());
            foreach (var image in images)
                found[(table.Key, image.Place)] = image;
        }
        string[] accused = [.. batch.Rows.Where(row => row.Accused).Select(row => row.Place)];
        // An index that cannot be read ends the case: it is named, and may be what hides the parents.
        var stillBad = await StillBad(batch.Violation, accused, batch.IndexMayAcquit ? "" : HeapAlone, cancellationToken);
        var altered = batch.Rows.Where(row => !found.TryGetValue((row.Table, row.Place), out var image)
                || image.Version != row.Version || image.Hash != row.Hash || (row.Accused && stillBad?.Contains(row.Place) == false))
            .Select(row => row.Group).ToHashSet();
        altered.UnionWith(await Grown(altered, cancellationToken));
        var kept = batch.Rows.Where(row => !altered.Contains(row.Group)).Select(row => new LockedRow(row, found[(row.Table, row.Place)])).ToList();
        return (kept, batch.Rows.Count(row => row.Accused && altered.Contains(row.Group)));
    }

    /// <summary>Places of accused rows that still break the rule, or null where the rule does not choose them.</summary>
    private async ValueTask<HashSet<string>?> StillBad(string condition, string[] places, string settings, CancellationToken cancellationToken)
    {
        if (condition.Length == 0)
            return null;
        var table = batch.Tables[0];
        return await Looking(() => session.Rows(
            $"SELECT {table.Row}.ctid::pg_catalog.text FROM {table.From} WHERE {table.Row}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[]) "
            + $"AND ({condition})", row => row.GetString(0), cancellationToken, (object)places), rows => rows.ToHashSet(), settings, cancellationToken);
    }

    /// <summary>Groups to whose rows somebody refers by now who is not in the batch: a cascade would take that row without keeping it.</summary>
    private async ValueTask<IReadOnlyList<int>> Grown(HashSet<int> altered, CancellationToken cancellationToken)
    {
        var groups = new List<int>();
        foreach (var link in batch.Links)
        {
            var known = batch.Rows.Where(row => row.Table == link.Child).Select(row => row.Place).ToHashSet();
            var parents = batch.Rows.Where(row => row.Table == link.Parent && !altered.Contains(row.Group)).ToList();
            if (parents.Count == 0)
                continue;
            var referring = await Looking(() => session.Rows(link.Sql, row => (Child: row.GetString(0), Parent: row.GetString(1)), cancellationToken,
                (object)parents.Select(row => row.Place).ToArray()), rows => rows, HeapAlone, cancellationToken);
            groups.AddRange(referring.Where(row => !known.Contains(row.Child))
                .Select(row => parents.First(parent => parent.Place == row.Parent).Group));
        }
        return groups;
    }

    private async ValueTask Keep(IReadOnlyList<LockedRow> rows, CancellationToken cancellationToken)
    {
        // Children are put away before parents, so that restoring in the opposite order finds every parent: level by level, as they were selected.
        foreach (var run in Runs(rows.Reverse()))
        {
            var shape = await Shape(run[0].Row.Table, cancellationToken);
            await Faithfulness.Require(shape, [.. run.Select(row => row.Image)], session, cancellationToken);
            await journal.Keep(shape, run, batch.Assignments, cancellationToken);
        }
    }

    private static IEnumerable<IReadOnlyList<LockedRow>> Runs(IEnumerable<LockedRow> rows)
    {
        var run = new List<LockedRow>();
        foreach (var row in rows)
        {
            if (run.Count > 0 && run[0].Row.Table != row.Row.Table)
            {
                yield return run;
                run = [];
            }
            run.Add(row);
        }
        if (run.Count > 0)
            yield return run;
    }

    /// <summary>The rule once more, for the rows where they lie now.</summary>
    private async ValueTask Prove(string[] places, CancellationToken cancellationToken)
    {
        var result = batch.Result.Length > 0 ? batch.Result : batch.Violation;
        if (places.Length > 0 && await StillBad(result, places, HeapAlone, cancellationToken) is { Count: > 0 } bad)
            throw new RowRefusal($"{bad.Count} of {places.Length} rows of {batch.Tables[0].Quoted} still break the rule after the change; rolled back");
        if (batch.Proof.Length == 0)
            return;
        var wrong = await Looking(() => session.Rows(batch.Proof, row => row.GetValue(0).ToString(), cancellationToken), rows => rows, HeapAlone, cancellationToken);
        if (wrong.Count > 0)
            throw new HealingException($"after the change the rule still did not hold ({wrong.Count} rows, the first {wrong[0]}): rolled back",
                mayPass: false);
    }

    /// <summary>Asks inside a savepoint that is rolled back: read only, with those settings, and with the owner's rights for the owner's code.</summary>
    private async ValueTask<TResult> Looking<TRow, TResult>(
        Func<ValueTask<IReadOnlyList<TRow>>> ask, Func<IReadOnlyList<TRow>, TResult> take, string settings, CancellationToken cancellationToken)
    {
        var role = batch.OwnersCode ? $"; SET LOCAL ROLE {Quote.Identifier(batch.Tables[0].Owner)}" : "";
        await session.Execute($"SAVEPOINT kintsugi_look; SET TRANSACTION READ ONLY; {settings}{role}", cancellationToken);
        var answer = take(await ask());
        await session.Execute("ROLLBACK TO SAVEPOINT kintsugi_look; RELEASE SAVEPOINT kintsugi_look", cancellationToken);
        return answer;
    }

    /// <summary>Triggers, defaults and expressions are the owner's code: the owner's rights, and the database's own search_path.</summary>
    private async ValueTask AsOwner(string owner, Func<ValueTask<int>> work, CancellationToken cancellationToken)
    {
        await session.Execute($"SET LOCAL ROLE {Quote.Identifier(owner)}; SET LOCAL search_path TO DEFAULT", cancellationToken);
        await work();
        await session.Execute("SET LOCAL ROLE NONE; SET LOCAL search_path = pg_catalog, pg_temp", cancellationToken);
    }

    private async ValueTask<TableShape> Shape(int table, CancellationToken cancellationToken)
    {
        if (!shapes.TryGetValue(table, out var shape))
            shapes[table] = shape = await TableShape.Read(batch.Tables[table], session, cancellationToken);
        return shape;
    }
}

/// <summary>A row of the batch with its image, read under lock.</summary>
internal sealed record LockedRow(BatchRow Row, RowImage Image);
