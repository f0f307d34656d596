using System.Buffers.Binary;
using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Storage;

public sealed class PagesCheckTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task A_sound_server_is_sound_on_every_major(int major)
    {
        await using var database = await servers.Database(major, Stop);

        var report = await StorageWard.Examine(database, Stop);

        Assert.Empty(report.Findings);
        Assert.Equal(0, report.Count<Verdict.Unchecked>());
        Assert.True(report.Count<Verdict.Sound>() > 150);
        Assert.Contains(report.Examinations, e => e
            is { Check: "shared-pages", Target.Object: "pg_authid", Verdict: Verdict.Sound });
    }

    [Fact]
    public async Task A_flipped_bit_is_found_in_its_block_and_the_neighbour_is_not_accused()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        StorageWard.Alter(await StorageWard.FileOf(database, "movies", Stop), 3, seal: false, page => page[5000] ^= 4);
        StorageWard.Alter(await StorageWard.FileOf(database, "movies_pkey", Stop), 1, seal: false, page => page[8000] ^= 4);
        StorageWard.Alter(await StorageWard.FileOf(database, "users", Stop) + "_fsm", 0, seal: false, page => page[100] ^= 4);

        var report = await StorageWard.Examine(database, Stop);

        Assert.Equal([("page-checksum", "movies", "main", 3L), ("page-checksum", "movies_pkey", "main", 1L),
            ("page-checksum", "users", "fsm", 0L)],
            report.Places().OrderBy(place => place.Object));
        Assert.All(report.Findings, finding => Assert.Equal("XX001", finding.SqlState));
    }

    [Fact]
    public async Task The_same_is_found_through_the_server_when_its_files_are_elsewhere()
    {
        await using var database = await servers.Cluster(TestMajors.Oldest, Stop);
        StorageWard.Alter(await StorageWard.FileOf(database, "movies", Stop), 3, seal: false, page => page[5000] ^= 4);

        var report = await StorageWard.Examine(database, Stop, hideFiles: true);

        Assert.Equal([("page-checksum", "movies", "main", 3L)], report.Places());
        Assert.Equal(0, report.Count<Verdict.Unchecked>());
    }

    [Fact]
    public async Task A_role_that_may_read_no_file_leaves_everything_unchecked_and_learns_the_grant()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await database.Execute("DO $$ BEGIN CREATE ROLE nobody_here LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
            Stop);

        var report = await StorageWard.Examine(database, Stop, user: "nobody_here");

        Assert.Equal(0, report.Count<Verdict.Sound>());
        Assert.Contains(report.Examinations, e =>
            e.Verdict.Why?.Contains("pg_read_binary_file", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task A_page_written_to_the_wrong_block_tells_where_it_belongs()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var movies = await StorageWard.FileOf(database, "movies", Stop);
        StorageWard.WritePage(movies, 3, StorageWard.ReadPage(movies, 7));

        var finding = Assert.Single((await StorageWard.Examine(database, Stop)).Findings);

        Assert.Equal(("page-checksum", 3L), (finding.Fault.Id, finding.Target.Block));
        Assert.Equal("7", finding.Facts["belongs_to_block"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_page_of_an_index_in_a_table_is_found_although_its_checksum_is_right(bool checksums)
    {
        await using var database = await servers.Cluster(TestMajors.Newest, new ClusterOptions { Checksums = checksums }, Stop);
        var index = await StorageWard.FileOf(database, "movies_pkey", Stop);
        var movies = await StorageWard.FileOf(database, "movies", Stop);
        StorageWard.WritePage(movies, 2, StorageWard.ReadPage(index, 2));

        var finding = Assert.Single((await StorageWard.Examine(database, Stop)).Findings);

        Assert.Equal(("page-invalid", "movies", 2L), (finding.Fault.Id, finding.Target.Object, finding.Target.Block));
        Assert.Contains("page of a btree", finding.Evidence, StringComparison.Ordinal);
    }

    [Theory, InlineData(12, 9000), InlineData(14, 20), InlineData(16, 8200), InlineData(18, 8195), InlineData(10, 0x80)]
    public async Task An_impossible_header_is_found_without_checksums(int at, int value)
    {
        await using var database = await servers.Cluster(TestMajors.Newest, new ClusterOptions { Checksums = false }, Stop);
        StorageWard.Alter(await StorageWard.FileOf(database, "users", Stop), 0, seal: false,
            page => BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(at), (ushort)value));

        Assert.Equal([("page-invalid", "users", "main", 0L)], (await StorageWard.Examine(database, Stop)).Places());
    }

    [Fact]
    public async Task A_zeroed_header_with_data_behind_it_is_found()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        StorageWard.Alter(await StorageWard.FileOf(database, "movies", Stop), 4, seal: false, page => page.AsSpan(0, 24).Clear());

        Assert.Equal([("page-invalid", "movies", "main", 4L)], (await StorageWard.Examine(database, Stop)).Places());
    }

    [Fact]
    public async Task An_lsn_beyond_the_wal_is_found()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        StorageWard.Alter(await StorageWard.FileOf(database, "movies", Stop), 1, seal: true,
            page => BinaryPrimitives.WriteUInt32LittleEndian(page, 0x77));

        Assert.Equal([("page-stale", "movies", "main", 1L)], (await StorageWard.Examine(database, Stop)).Places());
    }

    [Fact]
    public async Task A_missing_file_is_found()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var file = await StorageWard.FileOf(database, "movie_genres", Stop);
        File.Delete(file);
        Assert.False(File.Exists(file));

        Assert.Equal([("file-missing", "movie_genres", "main", null)], (await StorageWard.Examine(database, Stop)).Places());
    }

    [Fact]
    public async Task A_file_that_ends_inside_a_block_is_found_and_one_with_zeroes_behind_its_end_is_not_accused()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var movies = await StorageWard.FileOf(database, "movies", Stop);
        var users = await StorageWard.FileOf(database, "users", Stop);
        using (var handle = File.OpenHandle(movies, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            RandomAccess.SetLength(handle, RandomAccess.GetLength(handle) - 100);
        using (var handle = File.OpenHandle(users, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            RandomAccess.SetLength(handle, RandomAccess.GetLength(handle) + 4096);

        Assert.Equal([("file-truncated", "movies", "main", null)], (await StorageWard.Examine(database, Stop)).Places());
    }

    [Fact]
    public async Task More_bad_pages_than_can_be_told_are_summed_up()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute("CREATE TABLE many AS SELECT n, pg_catalog.repeat('x', 2000) AS t FROM "
            + "pg_catalog.generate_series(1, 1000) n", Stop);
        var file = await StorageWard.FileOf(database, "many", Stop);
        for (var block = 0; block < 240; block++)
            StorageWard.Alter(file, block, seal: false, page => page[6000] ^= 1);

        var report = await StorageWard.Examine(database, Stop);

        Assert.Equal(201, report.Findings.Count);
        Assert.Single(report.Findings, finding => finding.Target.Rule == "rest");
    }
}
