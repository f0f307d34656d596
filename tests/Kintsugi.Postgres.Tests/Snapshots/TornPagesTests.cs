using Kintsugi.Pages;
using Kintsugi.Postgres.Snapshots;

namespace Kintsugi.Postgres.Tests.Snapshots;

public sealed class TornPagesTests : IDisposable
{
    private const uint FirstBlock = 2 * PageFormat.BlocksPerSegment;
    private readonly string file = Path.GetTempFileName();
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => File.Delete(file);

    [Fact]
    public async Task A_page_that_was_being_written_is_read_again()
    {
        var (whole, torn) = Pages();
        var looks = 0;

        var (note, copy) = await Amend("base/5/16384.2", torn, _ => ++looks == 2 ? whole.AsMemory(PageFormat.Size)
            : torn.AsMemory(PageFormat.Size));

        Assert.Null(note);
        Assert.Equal(2, looks);
        Assert.Equal(whole, copy);
    }

    [Fact]
    public async Task A_page_that_stays_damaged_is_kept_and_noted_with_its_block()
    {
        var (_, torn) = Pages();

        var (note, copy) = await Amend("base/5/16384.2", torn, _ => torn.AsMemory(PageFormat.Size));

        Assert.Contains($"block {FirstBlock + 1}", note);
        Assert.Equal(torn, copy);
    }

    [Theory]
    [InlineData("base/5/16384", true)]
    [InlineData("base/5/16384_vm", true)]
    [InlineData("base/5/16384_init", true)]
    [InlineData("pg_tblspc/16400/PG_18_202506291/5/16384.3", true)]
    [InlineData("base/5/16384_fsm", false)]
    public void It_looks_at_the_forks_whose_sums_mean_something(string path, bool applies) =>
        Assert.Equal(applies, new TornPages(path, (_, _) => ValueTask.FromResult<ReadOnlyMemory<byte>>(default)).Applies);

    private async Task<(string? Note, byte[] Copy)> Amend(string path, byte[] bytes, Func<long, ReadOnlyMemory<byte>> readAgain)
    {
        await File.WriteAllBytesAsync(file, bytes, Token);
        string? note;
        await using (var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite))
            note = await new TornPages(path, (offset, _) =>
            {
                Assert.Equal(PageFormat.Size, offset);
                return ValueTask.FromResult(readAgain(offset));
            }).Amend(stream, Token);
        return (note, await File.ReadAllBytesAsync(file, Token));
    }

    /// <summary>Two pages of a third segment; in the second pair the second page is half old, half new.</summary>
    private static (byte[] Whole, byte[] Torn) Pages()
    {
        var whole = new byte[2 * PageFormat.Size];
        new Random(3).NextBytes(whole);
        PageChecksum.Seal(whole.AsSpan(0, PageFormat.Size), FirstBlock);
        PageChecksum.Seal(whole.AsSpan(PageFormat.Size), FirstBlock + 1);
        var torn = whole.ToArray();
        torn.AsSpan(PageFormat.Size + 4096).Clear();
        Assert.False(PageChecksum.Matches(torn.AsSpan(PageFormat.Size), FirstBlock + 1));
        return (whole, torn);
    }
}
