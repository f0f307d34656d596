using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Repairs.Pages;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.State;

namespace Kintsugi.Hosting;

internal sealed class CaseDesk(StoredLedger ledger, TargetBoard board, TimeProvider clock) : ICaseDesk
{
    private static readonly string[] Words = [Facts.Approved, Facts.Rejected, Facts.Retried, Facts.Accepted, Facts.Acknowledged];

    public ValueTask<IReadOnlyList<CaseRow>> List(CancellationToken cancellationToken) => ledger.Cases(null, cancellationToken);

    public async ValueTask<(CaseRow Row, IReadOnlyList<Fact> Facts)?> Show(string id, CancellationToken cancellationToken) =>
        (await ledger.Cases(null, cancellationToken)).FirstOrDefault(row => row.Id == id) is { } row
            ? (row, await ledger.FactsOf(id, cancellationToken))
            : null;

    public async ValueTask Say(
        string id, string word, string by, string? because, DateTimeOffset? until, string? plan, CancellationToken cancellationToken)
    {
        if (!Words.Contains(word))
            throw new ArgumentException($"\"{word}\" is no word about a case; there are: {string.Join(", ", Words)}", nameof(word));
        var (row, facts) = await Show(id, cancellationToken) ?? throw new ArgumentException($"there is no case {id}", nameof(id));
        var newest = new CaseHistory(facts).ReadPlan()?.Hash;
        if (word == Facts.Approved && (newest is null || (plan is not null && plan != newest)))
            throw new NotNowException(newest is null ? $"case {id} has no plan yet" : $"the plan of case {id} is another one by now: {newest}");
        await ledger.Append(new Fact(row.Id, row.Server, word, $"{word} by {by}{(because is null ? "" : $": {because}")}",
            Facts.Data(("by", by), ("because", because), ("until", until?.ToString("O")), ("plan", word == Facts.Approved ? newest : null)),
            clock.GetUtcNow()), cancellationToken);
    }

    public async ValueTask<int> Undo(string id, string by, CancellationToken cancellationToken)
    {
        var (row, facts) = await Show(id, cancellationToken) ?? throw new ArgumentException($"there is no case {id}", nameof(id));
        var target = board.All.FirstOrDefault(status => status.SystemIdentifier == row.Server
                && (row.Database is null || status.Databases.Contains(row.Database)))
            ?? throw new NotNowException($"the server of case {id} is no target that was reached");
        await using var ward = await board.Enter(target.Name, cancellationToken);
        var room = new OperatingRoom(ward.Factory, ward.Source.Server, clock);
        var database = row.Database ?? throw new NotNowException($"case {id} is about the whole server: its snapshot holds what it changed");
        var pages = PageUndo.Of(facts);
        var rows = pages.Count > 0 ? await new PageUndo(ward.Factory, room, database).Undo(pages, cancellationToken)
            : await new Quarantine(ward.Factory, room, database).Restore($"undo by {by}", Quarantine.OfCase, cancellationToken, row.Id);
        if (rows == 0)
            throw new NotNowException($"case {id}: nothing that it changed is left to be put back");
        await ledger.Append(new Fact(row.Id, row.Server, Facts.Undone, $"undone by {by}: {rows} {(pages.Count > 0 ? "pages" : "rows")} put back",
            Facts.Data(("by", by), (pages.Count > 0 ? "pages" : "rows", rows.ToString())), clock.GetUtcNow()), cancellationToken);
        return rows;
    }
}
