using Kintsugi.Pages;
using Kintsugi.Postgres.Checks;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks;

public sealed class ToastValuesTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_value_that_cannot_be_unpacked_is_found_in_its_row_and_no_other_is_accused(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("""
            CREATE TABLE "Big; ones." (id int PRIMARY KEY, v text, small text, j jsonb);
            INSERT INTO "Big; ones." SELECT i, (SELECT string_agg(md5((i * n)::text), '') FROM generate_series(1, 300) n) || repeat('lorem ', 3000), 'x',
              jsonb_build_object('k', repeat('abc', 400)) FROM generate_series(1, 40) i;
            """, Stop);
        Ward.AssertSound(await Ward.Examine(database, new ToastValuesCheck(), Depth.Deep, Stop));
        var toast = await database.Scalar<string>("SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'Big; ones.'", Stop);
        var surgery = new Indexes.Surgery(database);
        var chunk = await surgery.PlaceOf(toast!, $"chunk_seq = 0 AND chunk_id = (SELECT max(chunk_id) FROM {toast})", Stop);
        // Behind the tuple's header, id, number, the chunk's own header and the size of the value: the compressed bytes.
        await surgery.On(toast!, file => StorageWard.Alter(file, chunk.Block, seal: true, page =>
            page.AsSpan(LinePointer.Read(page, chunk.Item).Offset + 44, 52).Fill(0xFF)), Stop);
        await surgery.Operate(Stop);

        var finding = Assert.Single((await Ward.Examine(database, new ToastValuesCheck(), Depth.Deep, Stop)).Findings);

        Assert.Equal((Faults.ToastCorrupt, "Big; ones.", "v"), (finding.Fault, finding.Target.Relation, finding.Target.Column));
        var readable = await database.Scalar<string>(
            $"SELECT small FROM \"Big; ones.\" WHERE ctid = '({finding.Target.Block},{finding.Target.Offset})'", Stop);
        Assert.Equal("x", readable);
        var failed = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.Scalar<long>(
            $"SELECT length(v)::int8 FROM \"Big; ones.\" WHERE ctid = '({finding.Target.Block},{finding.Target.Offset})'", Stop));
        Assert.StartsWith("XX", failed.SqlState, StringComparison.Ordinal);
    }
}
