using System.Buffers.Binary;
using System.Text.Json;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Pages;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests.Detection;

/// <summary>
/// Damage with right checksums that no tool of the server sees, each in a table of its own: one stop, one start, one check, and each is named while
/// the sound neighbour is not.
/// </summary>
public sealed class PageInjuriesTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <param name="Table">Its table, which is also what must be named.</param>
    /// <param name="Sql">Makes it.</param>
    /// <param name="File">The relation whose page is changed; a fork behind a colon.</param>
    /// <param name="Row">The condition of the row that is hit, or null for page 0.</param>
    /// <param name="Strike">Changes the page; the second number is where the row's tuple begins, the third its line pointer.</param>
    private sealed record Wound(string Table, string Sql, string File, string? Row, Action<byte[], int, int> Strike, string Check, string Fault);

    private static string Values(string table, string type, string value) =>
        $"CREATE TABLE {table} (id int, v {type}); INSERT INTO {table} SELECT n, {value} FROM generate_series(1, 50) n";

    private static Wound Value(string table, string type, string value, Action<byte[], int> strike) => new(
        table, Values(table, type, value), table, "id = 30", (page, at, _) => strike(page, at), "heap-pages", "heap-corrupt");

    private static readonly Wound[] Wounds =
    [
        // A value is behind 24 bytes of header and 4 of id; a short varlena has one byte of header.
        Value("w_bool", "bool", "true", (page, at) => page[at + 28] = 7),
        Value("w_date", "date", "'2026-01-01'::date", (page, at) => page.Put32(at + 28, 0x7FFFFFF0)),
        Value("w_numeric", "numeric", "1234.5", (page, at) => page.Put16(at + 31, 55_555)),
        Value("w_array", "int[]", "ARRAY[1, 2, 3]", (page, at) => page.Put32(at + 41, 900)),
        Value("w_inet", "inet", "'10.0.0.1'::inet", (page, at) => page[at + 29] = 77),
        Value("w_range", "int4range", "int4range(5, 9)", (page, at) => page.Put32(at + 33, 50)),
        Value("w_words", "tsvector", "'alpha beta'::tsvector", (page, at) => page.Put32(at + 29, 200)),
        Value("w_json", "jsonb", """'{"a":"xyz"}'::jsonb""", (page, at) => page[at + page.AsSpan(at).IndexOf("xyz"u8)] = 0xFF),
        Value("w_varlena", "text", "'abc'", (page, at) => page[at + 20] &= 0xFD),
        // What the page says of its rows, and rows of themselves.
        new("w_visible", Values("w_visible", "int", "n") + "; DELETE FROM w_visible WHERE id = 10", "w_visible", null,
            (page, _, _) => page[10] |= 4, "heap-pages", "heap-corrupt"),
        new("w_returned", Values("w_returned", "int", "n") + "; CREATE TABLE w_gone AS SELECT ctid::text AS place FROM w_returned WHERE id = 30; DELETE FROM w_returned WHERE id = 30",
            "w_returned", null, (page, _, _) => Returned(page), "heap-pages", "heap-corrupt"),
        new("w_multi", Values("w_multi", "int", "n"), "w_multi", "id = 30", (page, at, _) =>
        {
            page.Put32(at + 4, 5000);
            page.Put16(at + 20, (page.U16(at + 20) & ~0x0C00) | 0x1000);
        }, "heap-pages", "heap-corrupt"),
        new("w_token", Values("w_token", "int", "n") + "; SELECT count(*) FROM w_token", "w_token", "id = 30",
            (page, at, _) => page.Put16(at + 16, 0xFFFE), "heap-pages", "heap-corrupt"),
        // Indexes that answer wrongly.
        new("w_hash", Values("w_hash", "int", "n % 2") + "; INSERT INTO w_hash SELECT n, 1 FROM generate_series(51, 3000) n; CREATE INDEX w_hash_v ON w_hash USING hash (v)",
            "w_hash_v", "overflow", (page, _, _) => page.Put32(page.Special() + 4, uint.MaxValue), "index-keys", "index-corrupt"),
        new("w_killed", Values("w_killed", "int", "n") + "; CREATE INDEX w_killed_v ON w_killed USING hash (v)", "w_killed_v", "entry",
            (page, _, item) => page.PutItem(item, page.Item(item) with { State = LinePointerState.Dead }), "index-keys", "index-corrupt"),
        // Files.
        new("w_unlogged", "CREATE UNLOGGED TABLE w_unlogged (id int PRIMARY KEY)", "w_unlogged_pkey:_init", null,
            (page, _, _) => page.Put32(24, 0xDEADBEEF), "pages", "page-invalid"),
        new("w_sequence", "CREATE SEQUENCE w_sequence; SELECT nextval('w_sequence')", "w_sequence", null,
            (page, _, _) => BinaryPrimitives.WriteInt64LittleEndian(page.AsSpan(page.Item(1).Offset + 24), -77), "sequence", "heap-corrupt"),
        new("w_rowless", "CREATE SEQUENCE w_rowless", "w_rowless", null, (page, _, _) => page.Put32(LinePointer.Position(1), 0), "sequence", "heap-corrupt"),
    ];

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Each_is_found_and_the_sound_neighbour_is_not_accused(int major)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute(string.Join(";\n", Wounds.Select(wound => wound.Sql)) + "; " + Values("w_sound", "int[]", "ARRAY[n]"), Stop);
        var room = InjuryRoom.Enter(database.Cluster, database.Name);
        var strikes = new List<Action>();
        foreach (var wound in Wounds)
            strikes.Add(await Plan(wound, room));
        await database.Cluster.Stop(StopMode.Fast, Stop);
        foreach (var strike in strikes)
            strike();
        await database.Cluster.Start(Stop);

        var said = await terminal.On(database, "check", "-D", database.Cluster.DataDirectory, "--format", "json");

        Assert.True(said.Code == ExitCodes.Damage, said.All);
        var findings = said.Json.GetProperty("findings").EnumerateArray().ToList();
        var missed = Wounds.Where(wound => !findings.Exists(finding => Names(finding, wound.Table) && finding.GetProperty("check").GetString() == wound.Check
            && finding.GetProperty("fault").GetString() == wound.Fault)).Select(wound => wound.Table);
        Assert.Equal([], missed);
        Assert.DoesNotContain(findings, finding => Names(finding, "w_sound") || Names(finding, "movies"));
    }

    private static bool Names(JsonElement finding, string table) =>
        finding.GetProperty("relation").GetString() == table || finding.GetProperty("object").GetString() == table;

    private static async Task<Action> Plan(Wound wound, InjuryRoom room)
    {
        var parts = wound.File.Split(':');
        var file = await room.FileOf(parts[0], Stop, parts.Length > 1 ? parts[1] : "");
        if (wound.Row == "overflow")
            return () => file.Edit(file.Find(page => !page.IsNew() && (page.U16(page.Special() + 12) & 2) != 0 && page.U32(page.Special() + 4) != uint.MaxValue,
                "a bucket with an overflow page"), page => wound.Strike(page, 0, 0));
        if (wound.Row == "entry")
            return () => file.Edit(file.Find(page => !page.IsNew() && (page.U16(page.Special() + 12) & 2) != 0 && page.ItemCount() > 1, "entries"),
                page => wound.Strike(page, 0, 1));
        if (wound.Row is null)
            return () => file.Edit(0, page => wound.Strike(page, 0, 0));
        var (block, item) = await room.PlaceOf(wound.Table, wound.Row, Stop);
        return () => file.Edit(block, page => wound.Strike(page, page.Item(item).Offset, item));
    }

    /// <summary>The one row that was deleted looks as if its deletion had been rolled back.</summary>
    private static void Returned(byte[] page)
    {
        var at = page.Items().Select(item => page.Item(item).Offset).Single(offset => page.U32(offset + 4) != 0);
        page.Put16(at + 20, (page.U16(at + 20) | 0x0800) & ~0x0400);
    }
}
