using Kintsugi.Postgres.Checks;
using Kintsugi.State;
using Xunit;

namespace Kintsugi.Engine.Tests.Checks;

/// <summary>A large table goes in stretches, and a check that was killed in the middle of it goes on at the stretch that it had not proven.</summary>
public sealed class HeapSlicesTests
{
    private static readonly Relation Table = new()
    {
        Oid = 16_500, Schema = "public", Name = "large", Kind = 'r', AccessMethod = "heap", Path = "base/1/16500", Pages = (2 * HeapSlices.Blocks) + 7,
    };

    private static readonly Portion Whole = new(new Target { Server = "1", Database = "d", Kind = TargetKind.Table, Schema = "public", Relation = "large" })
    {
        Relation = Table,
    };

    [Fact]
    public void They_follow_each_other_and_the_last_is_open()
    {
        var slices = HeapSlices.Of(Table, Whole).ToList();

        Assert.Equal([(0, HeapSlices.Blocks), (HeapSlices.Blocks, HeapSlices.Blocks), (2 * HeapSlices.Blocks, long.MaxValue)],
            slices.Select(slice => (slice.FirstBlock, slice.Blocks)));
        Assert.Equal(Table.Pages, slices.Sum(slice => slice.Weight));
        Assert.Single(HeapSlices.Of(Table, Whole with { Settled = new Verdict.NotApplicable("temporary") }));
        Assert.Single(HeapSlices.Of(Table with { Pages = 0 }, Whole));
    }

    [Fact]
    public void What_was_proven_before_the_kill_stands_and_the_rest_of_the_table_is_looked_at()
    {
        var directory = Directory.CreateTempSubdirectory("kintsugi-slices-").FullName;
        try
        {
            var now = DateTimeOffset.UnixEpoch.AddYears(60);
            var slices = HeapSlices.Of(Table, Whole).ToList();
            using (var killed = ScrubJournal.Open(StateDirectory.Open(directory), "1", "heap", resume: false, now)!)
                killed.Enter("heap", slices[0], now);

            using var resumed = ScrubJournal.Open(StateDirectory.Open(directory), "1", "heap", resume: true, now)!;

            Assert.Equal([true, false, false], slices.Select(slice => resumed.ProvenAt("heap", slice) is not null));
            Assert.Null(resumed.ProvenAt("toast-values", slices[0]));
            Assert.Null(resumed.ProvenAt("heap", slices[0] with { Relation = Table with { Path = "base/1/16501" } }));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
