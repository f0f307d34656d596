using System.Buffers.Binary;
using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

/// <summary>Values that changed on their pages, with checksums that fit: no constraint was ever asked, and each rule finds its own row.</summary>
public sealed class RawByteTests(Servers servers)
{
    private const int Up = 0x51525354, Checked = 0x61626364, BeforeEnum = 0x71727374, Base = 0x41424344, Key = 0x31323334;

    private static readonly string House = $$"""
        CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1), ({{Up}});
        CREATE TABLE raw (id int PRIMARY KEY, up int CONSTRAINT raw_up REFERENCES parent, c int CONSTRAINT raw_c CHECK (c > 0), mark int, m mood,
          base int, twice bigint GENERATED ALWAYS AS (base::bigint * 2) STORED, w text, word text, doc jsonb);
        INSERT INTO raw (id, up, c, mark, m, base, w, word, doc) SELECT i, 1, 1, 1, 'a', i, 'fine', 'G', '{"v": "x"}' FROM generate_series(1, 50) i;
        INSERT INTO raw (id, up, c, mark, m, base, w, word, doc) VALUES
          (101, {{Up}}, 1, 1, 'a', 1, 'fine', 'G', '{"v": "x"}'), (102, 1, {{Checked}}, 1, 'a', 1, 'fine', 'G', '{"v": "x"}'),
          (103, 1, 1, {{BeforeEnum}}, 'a', 1, 'fine', 'G', '{"v": "x"}'), (104, 1, 1, 1, 'a', {{Base}}, 'fine', 'G', '{"v": "x"}'),
          (105, 1, 1, 1, 'a', 1, 'TEXTMARK', 'G', '{"v": "x"}'), (106, 1, 1, 1, 'a', 1, 'fine', 'WORDMARK', '{"v": "x"}'),
          (107, 1, 1, 1, 'a', 1, 'fine', 'G', '{"v": "DOCMARK"}');
        CREATE TABLE parts (id int, k int) PARTITION BY RANGE (k); CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (2000000000);
        INSERT INTO parts VALUES (1, 5), (2, {{Key}});
        """;

    private static readonly ConsistencyRules Rules = new()
    {
        Enums = [new("words", new("public", "raw"), "word", null, ["G", "WORDMARK"], new RowRepair.Report(), null)],
        Json = [new("docs", new("public", "raw"), "doc", """{"properties": {"v": {"enum": ["x", "DOCMARK"]}}}""", true, new RowRepair.Report(), null)],
        Sql = [new("own", new("public", "raw"), $"select id from public.raw where c not in (1, {Checked})", Severity.Warning, new RowRepair.Report())],
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Each_rule_finds_the_row_whose_bytes_changed(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute(House, Stop);
        Scrubbing.AssertSound(await Look(database));
        var (raw, parts) = (await FileOf(database, "raw"), await FileOf(database, "parts_low"));
        await database.Execute("CHECKPOINT", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);

        Overwrite(raw, Bytes(Up), 0, Bytes(Up + 1));
        Overwrite(raw, Bytes(Checked), 0, Bytes(-5));
        Overwrite(raw, Bytes(BeforeEnum), 4, Bytes(7));
        Overwrite(raw, Bytes(Base), 0, Bytes(Base ^ 0x100));
        Overwrite(raw, "TEXTMARK"u8.ToArray(), 2, [0xff]);
        Overwrite(raw, "WORDMARK"u8.ToArray(), 0, "V"u8.ToArray());
        Overwrite(raw, "DOCMARK"u8.ToArray(), 0, "X"u8.ToArray());
        Overwrite(parts, Bytes(Key), 0, Bytes(-9));
        await database.Cluster.Start(Stop);
        var report = await Look(database);

        Assert.Equal(
        [
            """check-violated raw_c {"id" : 102}""", """generated-stale generated twice {"id" : 104}""", """json-invalid docs {"id" : 107}""",
            """row-misrouted partition bound {"ctid" : "(0,2)"}""", """row-orphaned raw_up {"id" : 101}""", """rule-violated own {"id":102}""",
            """text-invalid encoding of w {"id" : 105}""", """value-not-in-enum enum m {"id" : 103}""", """value-not-in-enum words {"id" : 106}""",
        ], report.Findings.Select(f => $"{f.Fault.Id} {f.Target.Rule} {f.Key}").Order(StringComparer.Ordinal));
    }

    private static async Task<ScrubReport> Look(TestDatabase database)
    {
        await using var factory = new SessionFactory(_ => database.ConnectionString, new SessionLimits());
        var source = await PatientSource.Connect(factory, [database.Name], null, null, new Pace(null, TimeProvider.System), Stop);
        return await new Scrub(RowChecks.All(Rules), source, TimeProvider.System, null).Run(new ScrubSettings(), Stop);
    }

    private static byte[] Bytes(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static async Task<string> FileOf(TestDatabase database, string table) => Path.Combine(
        database.Cluster.DataDirectory, (await database.Scalar<string>($"SELECT pg_relation_filepath('{table}')", Stop))!);

    private static void Overwrite(string path, byte[] marker, int beside, byte[] bytes)
    {
        var file = File.ReadAllBytes(path);
        var at = file.AsSpan().IndexOf(marker);
        Assert.True(at > 0 && file.AsSpan(at + 1).IndexOf(marker) < 0, $"the marker stands in {path} once");
        bytes.CopyTo(file, at + beside);
        var block = at / PageFormat.Size;
        var page = file[(block * PageFormat.Size)..((block + 1) * PageFormat.Size)];
        PageChecksum.Seal(page, (uint)block);
        page.CopyTo(file, block * PageFormat.Size);
        File.WriteAllBytes(path, file);
    }
}
