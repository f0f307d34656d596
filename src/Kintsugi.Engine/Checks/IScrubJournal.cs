namespace Kintsugi;

/// <summary>Which pieces of a scrub are proven while it still runs: a scrub that was interrupted goes on behind them.</summary>
public interface IScrubJournal
{
    /// <summary>The word for such a proof in the report.</summary>
    string How => Carried.Resumed;

    /// <summary>When the interrupted scrub proved this very piece sound, or null.</summary>
    DateTimeOffset? ProvenAt(string check, Portion piece);

    void Enter(string check, Portion piece, DateTimeOffset at);
}
