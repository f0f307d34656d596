namespace Kintsugi.Hosting;

/// <summary>
/// The ledger as one turn at a patient may write it. A step that went on in its backend while this node hung may have ended well: the one that has its place
/// finds that out, records it and tells it; two who did would close a case twice.
/// </summary>
internal sealed class FencedLedger(ILedger ledger, PatientTurn turn) : ILedger
{
    /// <exception cref="TurnLostException">Another node has taken over.</exception>
    public ValueTask Append(Fact fact, CancellationToken cancellationToken)
    {
        turn.MustBeOurs();
        return ledger.Append(fact, cancellationToken);
    }

    public ValueTask<IReadOnlyList<Fact>> FactsOf(string caseId, CancellationToken cancellationToken) => ledger.FactsOf(caseId, cancellationToken);

    public ValueTask<IReadOnlyList<CaseRow>> Cases(string? server, CancellationToken cancellationToken) => ledger.Cases(server, cancellationToken);

    public ValueTask RecordProofs(string server, ScrubReport report, CancellationToken cancellationToken)
    {
        turn.MustBeOurs();
        return ledger.RecordProofs(server, report, cancellationToken);
    }
}

/// <summary>Nothing more is done or written by this run: it is another node's.</summary>
internal sealed class TurnLostException() : Exception("another node has taken over this patient: this one was silent for longer than its lease");
