namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>A page under suspicion, with its bytes as they were read last.</summary>
internal sealed class Suspect(string fork, long block, Suspicion suspicion, byte[] page)
{
    public string Fork { get; } = fork;
    public long Block { get; } = block;
    public Suspicion Suspicion { get; private set; } = suspicion;
    public byte[] Page { get; private set; } = page;

    /// <summary>Readings in a row that gave the same bytes.</summary>
    public int SameBytes { get; private set; } = 1;

    public void SeenAgain(Suspicion suspicion, ReadOnlySpan<byte> page)
    {
        SameBytes = page.SequenceEqual(Page) ? SameBytes + 1 : 1;
        if (SameBytes == 1)
            Page = page.ToArray();
        Suspicion = suspicion;
    }
}
