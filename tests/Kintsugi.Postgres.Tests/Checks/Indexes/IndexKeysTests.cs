using System.Buffers.Binary;
using System.Text;
using Kintsugi.Lab.Damage;
using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.Keys;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Indexes;

/// <summary>Keys that are not those of their rows, on pages that are sound in every other way.</summary>
public sealed class IndexKeysTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Task<ScrubReport> Examine(TestDatabase database, Depth depth = Depth.Standard) =>
        Ward.Examine(database, new IndexKeysCheck(TimeProvider.System), depth, Stop);

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Rows_that_their_index_knows_under_another_key_are_found(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("CREATE INDEX movies_title_hash ON movies USING hash (title); CREATE INDEX users_handle_hash ON users USING hash (handle)", Stop);
        var surgery = new Surgery(database);
        var file = await surgery.PlaceOf("media_files", "id = 70", Stop);
        var place = await surgery.PlaceOf("specimens", "place[0] > 1", Stop);
        await surgery.On("media_files_digest_hash", TakeNeighboursCode, Stop);
        await surgery.On("movies_title_hash", LeaveBucket, Stop);
        await surgery.On("media_files_path_spgist", path => Alter(path, IndexKind.SpGist, file, (page, at) => page[at - 6 + 17] ^= 1), Stop);
        await surgery.On("specimens_place_gist", path => Alter(path, IndexKind.Gist, place, (page, at) => page[at + 31] ^= 0x40), Stop);
        await surgery.On("movies_words_gin", ForgetOneWord, Stop);
        await surgery.Operate(Stop);

        var entries = await Ward.Examine(database, new IndexEntriesCheck(TimeProvider.System), Depth.Standard, Stop);
        var report = await Examine(database);

        // Every row has its entry, and every entry its row: only the keys are wrong.
        Ward.AssertSound(entries);
        Assert.Equal(["media_files_digest_hash", "media_files_path_spgist", "movies_title_hash", "movies_words_gin", "specimens_place_gist"],
            report.Findings.Select(f => f.Target.Object!).Order(StringComparer.Ordinal));
        Assert.All(report.Findings, f => Assert.Equal("index-corrupt", f.Fault.Id));
        Assert.Contains(report.Examinations, e => e is { Verdict: Verdict.Sound, Target.Object: "users_handle_hash" });
        Assert.Contains(report.Examinations, e => e is { Verdict: Verdict.Sound, Target.Object: "movies_tags_gin" });
    }

    /// <summary>Equality is answered by a hash index or a btree at once: what only SP-GiST knows is asked then.</summary>
    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_tree_over_text_is_asked_although_another_index_would_answer_sooner(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("CREATE INDEX media_files_path_hash ON media_files USING hash (path); CREATE INDEX media_files_path_btree ON media_files (path)", Stop);
        await database.Execute("VACUUM ANALYZE media_files", Stop);
        var surgery = new Surgery(database);
        var file = await surgery.PlaceOf("media_files", "id = 70", Stop);
        await surgery.On("media_files_path_spgist", path => Alter(path, IndexKind.SpGist, file, (page, at) => page[at - 6 + 17] ^= 1), Stop);
        Ward.AssertSound(await Examine(database));
        await surgery.Operate(Stop);

        var report = await Examine(database);

        Assert.Equal("media_files_path_spgist", Assert.Single(report.Findings).Target.Object);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_row_that_a_hash_index_lacks_is_found_before_any_checkpoint_and_in_an_unlogged_table(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE logged (id integer, word text); CREATE INDEX logged_word ON logged USING hash (word) WHERE id > 0;
            CREATE UNLOGGED TABLE fleeting (id integer, word text); CREATE INDEX fleeting_word ON fleeting USING hash (lower(word));
            INSERT INTO logged SELECT i, 'w' || i FROM generate_series(1, 300) i; INSERT INTO fleeting SELECT * FROM logged;
            """, Stop);
        var before = await Examine(database);
        foreach (var (table, index) in new[] { ("logged", "logged_word"), ("fleeting", "fleeting_word") })
        {
            await database.Execute($"UPDATE pg_index SET indisready = false WHERE indexrelid = '{index}'::regclass", Stop);
            await database.Execute($"INSERT INTO {table} VALUES (301, 'lost')", Stop);
            await database.Execute($"UPDATE pg_index SET indisready = true WHERE indexrelid = '{index}'::regclass", Stop);
        }

        var report = await Examine(database);

        Assert.Empty(before.Findings);
        Assert.Equal(["fleeting_word", "logged_word"], report.Findings.Select(f => f.Target.Object).Order());
        Assert.All(report.Findings, finding => Assert.Equal(1, finding.Rows));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Keys_that_are_not_those_of_the_rows_are_found_and_the_neighbours_are_not_accused(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        var surgery = new Surgery(database);
        var file = await surgery.PlaceOf("media_files", "id = 70", Stop);
        var screening = await surgery.PlaceOf("screenings", "id = 70", Stop);
        var tag = await database.Scalar<string>("SELECT tags[1] FROM movies WHERE tags[1] IS NOT NULL ORDER BY id LIMIT 1", Stop);
        await surgery.On("media_files_digest_hash", path => Alter(path, IndexKind.Hash, file, (page, at) => page[at + 8 + 2] ^= 0x20), Stop);
        // Two bytes of tid and info, eight of header: then a range's OID of type, then its lower bound.
        await surgery.On("screenings_no_overlap", path => Alter(path, IndexKind.Gist, screening, (page, at) => page[at + 8 + 1 + 4 + 5] ^= 0x20), Stop);
        await surgery.On("movies_tags_gin", path => AlterText(path, tag!), Stop);
        await surgery.Operate(Stop);

        var accused = (await Examine(database, Depth.Deep)).Findings.Select(finding => finding.Target.Object).Order().ToList();

        Assert.Contains("media_files_digest_hash", accused);
        Assert.Contains("screenings_no_overlap", accused);
        Assert.Contains("movies_tags_gin", accused);
        Assert.Equal(3, accused.Count);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Rows_outside_the_summary_of_their_block_range_are_found(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new BrinSummaryNarrow()], Stop);

        var report = await Examine(database);

        var found = Assert.Single(report.Findings);
        Assert.Equal(("index-corrupt", "watch_history_2025h1_watched_at_idx"), (found.Fault.Id, found.Target.Object));
        Assert.Contains("outside the summary", found.Evidence, StringComparison.Ordinal);
        await database.Execute("REINDEX INDEX watch_history_2025h1_watched_at_idx", Stop);
        Ward.AssertSound(await Examine(database));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_hash_metapage_that_contradicts_itself_or_the_pages_is_found(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("CREATE INDEX fewer ON movies USING hash (id); CREATE INDEX masks ON movies USING hash (id); "
            + "CREATE INDEX sizes ON movies USING hash (id); CREATE INDEX sound ON movies USING hash (id)", Stop);
        var surgery = new Surgery(database);
        // hashm_maxbucket, hashm_highmask and hashm_bmshift of the first page (hash.h).
        await surgery.On("fewer", path => StorageWard.Alter(path, 0, seal: true, page => page[48]--), Stop);
        await surgery.On("masks", path => StorageWard.Alter(path, 0, seal: true, page => page[52] ^= 4), Stop);
        await surgery.On("sizes", path => StorageWard.Alter(path, 0, seal: true, page => page[46]++), Stop);
        await surgery.Operate(Stop);

        var keys = await Examine(database);
        var entries = await Ward.Examine(database, new IndexEntriesCheck(TimeProvider.System), Depth.Standard, Stop);

        Assert.Equal(["fewer"], keys.Findings.Select(finding => finding.Target.Object));
        Assert.Equal(["masks", "sizes"], entries.Findings.Select(finding => finding.Target.Object).Order(StringComparer.Ordinal));
        Assert.Contains(keys.Examinations, e => e is { Verdict: Verdict.Sound, Target.Object: "sound" });
        // No search is made by numbers that are wrong.
        Assert.Contains(keys.Examinations, e => e is { Verdict: Verdict.Unchecked, Target.Object: "masks" });
    }

    [Fact]
    public async Task Values_that_are_no_text_of_the_client_are_asked_for_row_by_row()
    {
        await using var cluster = await servers.Cluster(TestMajors.Newest, Stop);
        await cluster.Execute("CREATE DATABASE plain TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'", Stop);
        await using var database = new TestDatabase(cluster.Cluster, "plain", _ => Task.CompletedTask);
        await database.Execute("CREATE TABLE latin AS SELECT n, convert_from(decode('fc' || lpad(to_hex(n), 4, '0') || '6162', 'hex'), 'SQL_ASCII') AS t "
            + "FROM generate_series(257, 500) n WHERE n % 256 > 0; CREATE INDEX latin_spgist ON latin USING spgist (t)", Stop);
        await database.Execute("CHECKPOINT", Stop);

        var report = await Examine(database);

        var seen = Assert.Single(report.Examinations, e => e.Target.Object == "latin_spgist");
        Assert.True(seen.Verdict is Verdict.Sound, $"{seen.Verdict.Word}: {seen.Verdict.Why}");
    }

    [Fact]
    public async Task No_search_is_made_in_a_tree_that_it_could_spin_in()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new GinPageZeroed()], Stop);

        var report = await Examine(database);

        Assert.Empty(report.Findings);
        Assert.Contains(report.Examinations, e => e is { Verdict: Verdict.Unchecked, Target.Object: "movies_details_gin" });
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Odd_keys_and_every_operator_class_are_sound(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE odd (id int, t text, n numeric, f float8, arr int[], j jsonb, v tsvector, p point, bx box, r int4range, net inet, d date, c char(4));
            INSERT INTO odd SELECT g, 't '' \ .. ' || g % 900, g * 1.5, CASE WHEN g % 9 = 0 THEN 'NaN'::float8 ELSE g END, ARRAY[g, NULL, g % 7],
              CASE WHEN g % 9 = 0 THEN '{}'::jsonb ELSE jsonb_build_object('a', g, 'e', '[]'::jsonb) END, to_tsvector('simple', 'w' || g || ' it''s back\slash'),
              point(g, 1), box(point(g, 1), point(g + 1, 2)), CASE WHEN g % 9 = 0 THEN 'empty'::int4range ELSE int4range(g, NULL) END,
              CASE WHEN g % 50 = 0 THEN '::1'::inet ELSE ('10.0.' || g % 200 || '.1/24')::inet END, '2020-01-01'::date + g, 'c' || g % 99 FROM generate_series(1, 3000) g;
            UPDATE odd SET t = NULL, n = NULL, arr = NULL, j = NULL, v = NULL, p = NULL, r = NULL WHERE id % 11 = 0;
            UPDATE odd SET arr = '{}', r = NULL WHERE id % 13 = 0;
            CREATE INDEX ON odd USING hash (t) WHERE id > 9; CREATE INDEX ON odd USING hash (arr); CREATE INDEX ON odd USING hash (lower(c)); CREATE INDEX ON odd USING hash (f);
            CREATE INDEX ON odd USING gin (arr); CREATE INDEX ON odd USING gin (j); CREATE INDEX ON odd USING gin (v) WITH (fastupdate = on);
            CREATE INDEX ON odd USING gist (p); CREATE INDEX ON odd USING gist (bx); CREATE INDEX ON odd USING gist (r); CREATE INDEX ON odd USING spgist (net);
            CREATE INDEX ON odd USING brin (id, n, f, d) WITH (pages_per_range = 2); CREATE INDEX ON odd USING brin (r, bx, c) WITH (pages_per_range = 2);
            CREATE INDEX ON odd USING brin (net inet_inclusion_ops) WITH (pages_per_range = 2);
            DELETE FROM odd WHERE id BETWEEN 500 AND 600;
            INSERT INTO odd (id, t, arr, v, r, net) SELECT -g, 'new', '{1,1,2}', 'b:1 a:2', int4range(-g, g), '10.1.1.1' FROM generate_series(1, 200) g;
            """, Stop);
        if (major >= 14)
            await database.Execute("CREATE INDEX ON odd USING brin (id int4_minmax_multi_ops, n numeric_minmax_multi_ops, net inet_minmax_multi_ops, "
                + "d date_minmax_multi_ops) WITH (pages_per_range = 2); CREATE INDEX ON odd USING brin (d date_bloom_ops) WITH (pages_per_range = 2)", Stop);
        await database.Execute("VACUUM ANALYZE; CHECKPOINT", Stop);

        var report = await Examine(database, Depth.Deep);

        Assert.Empty(report.Findings.Select(f => $"{f.Target.Name}: {f.Evidence}"));
        Assert.Empty(report.Examinations.Where(e => e.Verdict is Verdict.Unchecked).Select(e => $"{e.Target.Name}: {e.Verdict.Why}"));
    }

    private static void Alter(string file, IndexKind kind, Tid row, Action<byte[], int> wound)
    {
        var (block, entry) = Surgery.Find(file, kind, row);
        StorageWard.Alter(file, block, seal: true, page => wound(page, entry.At));
    }

    /// <summary>The order on the page and the bucket stay right.</summary>
    private static void TakeNeighboursCode(string file) => OnFirst(file, IndexKind.Hash, (page, content) =>
    {
        for (var i = 0; i + 1 < content.Rows.Count; i++)
            if (Code(page, content.Rows[i]) != Code(page, content.Rows[i + 1]))
            {
                BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(content.Rows[i].At + 8), Code(page, content.Rows[i + 1]));
                return true;
            }
        return false;
    });

    private static void LeaveBucket(string file) => OnFirst(file, IndexKind.Hash, (page, content) =>
    {
        if (content.Rows.Count == 0 || HashPage.Read(page).Bucket != 0)
            return false;
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(content.Rows[^1].At + 8), uint.MaxValue);
        return true;
    });

    /// <summary>A word that one row alone has; the row's other words still lead to it.</summary>
    private static void ForgetOneWord(string file) => OnFirst(file, IndexKind.Gin, (page, content) =>
    {
        if (Kintsugi.Pages.Indexes.GinPage.Read(page) is not { IsLeaf: true, IsData: false }
            || content.Rows.GroupBy(row => row.Item).FirstOrDefault(word => word.Count() == 1) is not { } single)
            return false;
        Surgery.RemoveItem(page, single.Key);
        return true;
    });

    private static uint Code(byte[] page, IndexEntry entry) => BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(entry.At + 8));

    private static void OnFirst(string file, IndexKind kind, Func<byte[], IndexPageContent, bool> wound)
    {
        var content = new IndexPageContent();
        for (var block = 1L; block < Surgery.Blocks(file); block++)
        {
            var page = StorageWard.ReadPage(file, block);
            IndexTids.Read(kind, page, (uint)block, content);
            if (content.Role != IndexPageRole.Leaf || !wound((byte[])page.Clone(), content))
                continue;
            StorageWard.Alter(file, block, seal: true, it => wound(it, content));
            return;
        }
        throw new InvalidOperationException("no page to wound");
    }

    /// <summary>The entry of one key in a GIN index: every row that has the key is lost to searches for it.</summary>
    private static void AlterText(string path, string key)
    {
        byte[] wanted = [(byte)(((key.Length + 1) << 1) | 1), .. Encoding.UTF8.GetBytes(key)];
        for (var block = 1L; block < Surgery.Blocks(path); block++)
        {
            var page = StorageWard.ReadPage(path, block);
            for (var item = 1; !PageHeader.Read(page).IsNew && item <= PageHeader.Read(page).ItemCount; item++)
            {
                var line = LinePointer.Read(page, item);
                if (line.Length > 8 + wanted.Length && page.AsSpan(line.Offset + 8, wanted.Length).SequenceEqual(wanted))
                {
                    StorageWard.Alter(path, block, seal: true, bytes => bytes[line.Offset + 8 + wanted.Length - 1] ^= 0x01);
                    return;
                }
            }
        }
        throw new InvalidOperationException($"{path} has no entry {key}");
    }
}
