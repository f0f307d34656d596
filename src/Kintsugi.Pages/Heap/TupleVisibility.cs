namespace Kintsugi.Pages.Heap;

/// <summary>Finds transaction ids, hint bits and page bits that contradict each other or the given horizons.</summary>
internal static class TupleVisibility
{
    /// <summary>Adds the flaws of one tuple header.</summary>
    public static void Inspect(
        in PageHeader page, in HeapTupleHeader head, int at, int item, HeapExpectations expected, ICollection<Flaw> flaws)
    {
        if (!head.IsFrozen && TransactionIds.IsNormal(head.Xmin))
            Bounds(head.Xmin, at, item, FlawKind.XminInFuture, FlawKind.XminTooOld, expected, flaws);
        if (!head.XmaxInvalid) InspectXmax(head, at, item, expected, flaws);
        if (page.IsAllVisible && (head.IsDeletedByHints || head.XminInvalid))
            flaws.Add(new Flaw(FlawKind.AllVisibleDeleted, at + 20, item, Actual: head.InfoMask));
        if (expected.MapBits is { } bits && (bits & 2) != 0) InspectFrozen(head, at, item, flaws);
        if (expected.CommitLog is not { } log) return;
        InspectHints(head, at, item, log, flaws);
        if (page.IsAllVisible && !head.IsDeletedByHints && !head.XminInvalid && IsGoneByLog(head, log))
            flaws.Add(new Flaw(FlawKind.AllVisibleDeleted, at + 20, item, Actual: head.InfoMask));
        if (expected.EndedBefore != 0) InspectRecords(head, at, item, expected.EndedBefore, log, flaws);
    }

    private static void InspectXmax(
        in HeapTupleHeader head, int at, int item, HeapExpectations expected, ICollection<Flaw> flaws)
    {
        if (!head.XmaxIsMulti)
        {
            if (TransactionIds.IsNormal(head.Xmax))
                Bounds(head.Xmax, at + 4, item, FlawKind.XmaxInFuture, FlawKind.XmaxTooOld, expected, flaws);
            return;
        }
        if (head.IsLockedUpgraded || head.Xmax == 0) return;
        if (expected.NextMulti != 0 && !TransactionIds.MultiPrecedes(head.Xmax, expected.NextMulti))
            flaws.Add(new Flaw(FlawKind.MultiInFuture, at + 4, item, Actual: head.Xmax, Expected: expected.NextMulti));
        else if (expected.MinimumMulti != 0 && TransactionIds.MultiPrecedes(head.Xmax, expected.MinimumMulti))
            flaws.Add(new Flaw(FlawKind.MultiTooOld, at + 4, item, Actual: head.Xmax, Expected: expected.MinimumMulti));
    }

    private static void Bounds(
        uint xid, int at, int item, FlawKind future, FlawKind old, HeapExpectations expected, ICollection<Flaw> flaws)
    {
        if (expected.NextXid != 0 && !TransactionIds.Precedes(xid, expected.NextXid))
            flaws.Add(new Flaw(future, at, item, Actual: xid, Expected: expected.NextXid));
        else if (TransactionIds.IsNormal(expected.FrozenXid) && TransactionIds.Precedes(xid, expected.FrozenXid))
            flaws.Add(new Flaw(old, at, item, Actual: xid, Expected: expected.FrozenXid));
    }

    // What heap_tuple_needs_eventual_freeze asks: xmax counts even when a hint says that it aborted.
    private static void InspectFrozen(in HeapTupleHeader head, int at, int item, ICollection<Flaw> flaws)
    {
        if (!head.IsFrozen && TransactionIds.IsNormal(head.Xmin))
            flaws.Add(new Flaw(FlawKind.AllFrozenNotFrozen, at, item, Actual: head.Xmin));
        if (head.XmaxIsMulti ? head.Xmax != 0 : TransactionIds.IsNormal(head.Xmax))
            flaws.Add(new Flaw(FlawKind.AllFrozenNotFrozen, at + 4, item, Actual: head.Xmax));
    }

    // A hint is only ever set from the log. A transaction still running there was perhaps hinted since the log was read,
    // so only two endings that exclude each other accuse.
    private static void InspectHints(
        in HeapTupleHeader head, int at, int item, Func<uint, XidOutcome> log, ICollection<Flaw> flaws)
    {
        if (!head.IsFrozen && TransactionIds.IsNormal(head.Xmin)
            && (head.XminCommitted && log(head.Xmin) == XidOutcome.Aborted
                || head.XminInvalid && log(head.Xmin) == XidOutcome.Committed))
            flaws.Add(Contradiction(at + 20, item, head, log(head.Xmin)));
        // A locker's end makes xmax invalid as well; of any other, only an abort.
        if (!head.XmaxIsMulti && TransactionIds.IsNormal(head.Xmax)
            && (!head.XmaxInvalid && head.XmaxCommitted && log(head.Xmax) == XidOutcome.Aborted
                || head.XmaxInvalid && !head.XmaxCommitted && !head.IsLockedOnly && log(head.Xmax) == XidOutcome.Committed))
            flaws.Add(Contradiction(at + 20, item, head, log(head.Xmax)));
    }

    // Inserted by who aborted, or deleted by who committed, though no reader has left a hint yet: writers take the page's bit away first.
    private static bool IsGoneByLog(in HeapTupleHeader head, Func<uint, XidOutcome> log) =>
        !head.IsFrozen && TransactionIds.IsNormal(head.Xmin) && log(head.Xmin) == XidOutcome.Aborted
        || !head.XmaxInvalid && !head.XmaxIsMulti && !head.IsLockedOnly && TransactionIds.IsNormal(head.Xmax) && log(head.Xmax) == XidOutcome.Committed;

    // Nobody hints a commit that is not in the log; and a log that lost it says "in progress", for that is all zeros.
    private static void InspectRecords(
        in HeapTupleHeader head, int at, int item, uint endedBefore, Func<uint, XidOutcome> log, ICollection<Flaw> flaws)
    {
        bool IsLost(uint xid) => TransactionIds.IsNormal(xid) && TransactionIds.Precedes(xid, endedBefore) && log(xid) == XidOutcome.InProgress;
        if (!head.IsFrozen && head.XminCommitted && !head.XminInvalid && IsLost(head.Xmin))
            flaws.Add(new Flaw(FlawKind.CommittedUnrecorded, at, item, Actual: head.Xmin));
        if (!head.XmaxIsMulti && !head.XmaxInvalid && head.XmaxCommitted && IsLost(head.Xmax))
            flaws.Add(new Flaw(FlawKind.CommittedUnrecorded, at + 4, item, Actual: head.Xmax));
    }

    private static Flaw Contradiction(int at, int item, in HeapTupleHeader head, XidOutcome outcome) =>
        new(FlawKind.HintContradictsLog, at, item, Actual: head.InfoMask, Expected: (long)outcome);
}
