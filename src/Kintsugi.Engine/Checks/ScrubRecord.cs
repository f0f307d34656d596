using System.Collections.Concurrent;

namespace Kintsugi;

/// <summary>What a scrub has concluded so far; tells whoever follows it, and the journal from which an interrupted one goes on.</summary>
internal sealed class ScrubRecord(TimeProvider clock, IProgress<ScrubProgress>? progress, IScrubJournal? journal)
{
    private readonly ConcurrentQueue<Examination> examinations = new();
    private readonly long begun = clock.GetTimestamp();
    private int done;
    private int total;

    public IReadOnlyList<Examination> Examinations => [.. examinations];

    public void Expect(int more) => Interlocked.Add(ref total, more);

    public void Tell(ICheck check, Portion piece) =>
        progress?.Report(new ScrubProgress(check.Id, piece.Target.Name, done, Math.Max(done, total), clock.GetElapsedTime(begun)));

    public void Enter(ICheck check, Portion piece, Examination examination)
    {
        Interlocked.Increment(ref done);
        examinations.Enqueue(examination);
        if (examination is { Verdict: Verdict.Sound, Carried: null or { How: Carried.Resumed } })
            journal?.Enter(check.Id, piece, examination.Carried?.At ?? clock.GetUtcNow());
    }

    public void Note(string check, Target target, Verdict verdict) =>
        examinations.Enqueue(new Examination(check, target, verdict, TimeSpan.Zero));
}
