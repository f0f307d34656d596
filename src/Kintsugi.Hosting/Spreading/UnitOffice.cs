using Kintsugi.State;

namespace Kintsugi.Hosting;

/// <summary>The office of a look that this node leads, in the ledger that the nodes share.</summary>
internal sealed class UnitOffice : IUnitOffice, IDisposable
{
    private const int PageBytes = 8192;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly UnitBook book;
    private readonly ServiceState state;
    private readonly KintsugiMeter meter;
    private readonly TimeProvider clock;
    private readonly string look;
    private readonly long fence;
    private readonly long leastPages;
    private readonly Dictionary<string, UnitAnswer> kept = [];
    private readonly Dictionary<string, UnitAnswer> ready = [];
    private readonly Lock gate = new();
    private bool isOver;

    private UnitOffice(UnitBook book, ServiceState state, string look, BegunLook begun, long unitSize, KintsugiMeter meter, TimeProvider clock)
    {
        (this.book, this.state, this.look, this.meter, this.clock) = (book, state, look, meter, clock);
        fence = begun.Fence;
        leastPages = Math.Max(1, unitSize / PageBytes);
        foreach (var (piece, text, at) in begun.Answered)
            if (UnitAnswerJson.Read(text) is { } answer && (answer.Crashed || answer.Verdict is not Verdict.Unchecked))
                kept[piece] = answer.Verdict is Verdict.Sound ? answer with { Carried = new Carried(at, Carried.Resumed) } : answer;
    }

    /// <summary>Begins a look, or takes over what another node has led; its sessions are ended before this one reads.</summary>
    public static async ValueTask<UnitOffice> Open(
        UnitBook book, ServiceState state, LookOffer offer, Ward ward, long unitSize, KintsugiMeter meter, TimeProvider clock, CancellationToken cancellationToken)
    {
        var begun = book.Begin(offer, state.Nodes.Now(clock));
        foreach (var left in begun.Left.Where(left => left.Backend is not null))
        {
            var patient = await ward.Source.Open(left.Database, cancellationToken);
            await using var session = patient.Session;
            await Backend.AwaitEnd(left.Backend, session, clock, cancellationToken);
        }
        return new UnitOffice(book, state, offer.Look, begun, unitSize, meter, clock);
    }

    public bool IsWorth(Portion piece) => piece.Weight >= leastPages;

    public ValueTask Offer(IReadOnlyList<Unit> units, CancellationToken cancellationToken)
    {
        var offered = new List<OfferedUnit>();
        lock (gate)
            foreach (var unit in units)
                if (kept.Remove(unit.Key, out var answer))
                    ready[unit.Key] = answer;
                else
                    offered.Add(new OfferedUnit(unit.Key, unit.Check.Id, unit.Piece.Target.Database ?? "", unit.Piece.Weight));
        book.Offer(look, fence, offered);
        return ValueTask.CompletedTask;
    }

    public ValueTask<string?> Take(CancellationToken cancellationToken) => ValueTask.FromResult(book.Take(look, fence, state.Node));

    public async ValueTask Begin(string key, Patient patient, CancellationToken cancellationToken)
    {
        if (patient.Sql is { } session)
            book.BeginOwn(look, fence, key, await Backend.Of(session, cancellationToken));
    }

    public ValueTask Answer(string key, UnitAnswer answer, CancellationToken cancellationToken)
    {
        book.AnswerOwn(look, fence, key, UnitAnswerJson.Write(answer), state.Nodes.Now(clock));
        meter.DidOwn();
        return ValueTask.CompletedTask;
    }

    public async ValueTask<IReadOnlyDictionary<string, UnitAnswer>> Collect(Patient patient, CancellationToken cancellationToken)
    {
        var now = state.Nodes.Now(clock);
        foreach (var silent in book.Silent(look, fence, now))
            if (await Backend.IsGone(silent.Backend, patient.Session, cancellationToken))
                book.Free(look, fence, silent.Piece, now);
        var answers = book.Collect(look, fence).ToDictionary(row => row.Piece, row => UnitAnswerJson.Read(row.Answer));
        lock (gate)
        {
            foreach (var (key, answer) in ready)
                answers[key] = answer;
            ready.Clear();
        }
        return answers;
    }

    public ValueTask<IReadOnlyList<string>> Withdraw(IReadOnlyList<string> keys, CancellationToken cancellationToken) =>
        ValueTask.FromResult(book.Withdraw(look, fence, keys));

    public async ValueTask Rest(CancellationToken cancellationToken) => await Task.Delay(Pause, clock, cancellationToken);

    /// <exception cref="OvertakenException">Another node leads the look.</exception>
    public void MustLead() => book.MustLead(look, fence);

    /// <returns>How many units each node has done.</returns>
    public IReadOnlyDictionary<string, long> Complete()
    {
        var done = book.Complete(look, fence);
        isOver = true;
        return done;
    }

    /// <summary>Cut short, it leaves what was answered to whoever goes on.</summary>
    public void Dispose()
    {
        if (!isOver)
            book.Close(look, fence);
    }
}
