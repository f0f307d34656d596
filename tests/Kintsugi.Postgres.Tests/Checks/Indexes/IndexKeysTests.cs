using System.Text;
using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Keys;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Indexes;

public sealed class IndexKeysTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Task<ScrubReport> Examine(TestDatabase database, Depth depth) =>
        Ward.Examine(database, new IndexKeysCheck(TimeProvider.System), depth, Stop);

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task A_sound_database_is_sound_at_every_depth(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE odd (id int, n numeric, t text, r int4range, b box, a int[], w tsvector, j jsonb);
            INSERT INTO odd SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE i / 3.0 END, CASE WHEN i % 5 = 0 THEN NULL ELSE 'it''s \ ' || i END,
              CASE WHEN i % 11 = 0 THEN 'empty' ELSE int4range(i, i + 5) END, box(point(i, 1), point(i, 2)),
              CASE WHEN i % 3 = 0 THEN '{}' ELSE ARRAY[i % 10, i] END,
              to_tsvector('simple', 'w' || i || ' o''hara'), jsonb_build_object('k', i % 9, 'e', '{}'::jsonb)
              FROM generate_series(1, 3000) i;
            CREATE INDEX odd_n_hash ON odd USING hash (n); CREATE INDEX odd_t_hash ON odd USING hash (lower(t)) WHERE id > 100;
            CREATE INDEX odd_brin ON odd USING brin (id, n, t) WITH (pages_per_range = 2);
            CREATE INDEX odd_r_gist ON odd USING gist (r); CREATE INDEX odd_b_spgist ON odd USING spgist (b);
            CREATE INDEX odd_a_gin ON odd USING gin (a);
            CREATE INDEX odd_w_gin ON odd USING gin (w); CREATE INDEX odd_j_gin ON odd USING gin (j);
            DELETE FROM odd WHERE id % 13 = 0; UPDATE odd SET n = n + 1, a = a || 77 WHERE id % 17 = 0;
            """, Stop);

        foreach (var depth in new[] { Depth.Standard, Depth.Deep })
        {
            var report = await Examine(database, depth);
            Assert.Equal([], report.Findings.Select(finding => $"{finding.Target.Object}: {finding.Evidence}"));
            Assert.Equal([], report.Examinations.Where(e => e.Verdict is not Verdict.Sound).Select(e => $"{e.Target.Object}: {e.Verdict.Word} {e.Verdict.Why}"));
            Assert.True(report.Count<Verdict.Sound>() > 15, $"{report.Count<Verdict.Sound>()} sound");
        }
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Keys_that_are_not_those_of_the_rows_are_found_and_the_neighbours_are_not_accused(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        var surgery = new Surgery(database);
        var file = await surgery.PlaceOf("media_files", "id = 70", Stop);
        var screening = await surgery.PlaceOf("screenings", "id = 70", Stop);
        var tag = await database.Scalar<string>("SELECT tags[1] FROM movies WHERE tags[1] IS NOT NULL ORDER BY id LIMIT 1", Stop);
        await surgery.On("media_files_digest_hash", path => Alter(path, IndexKind.Hash, file, at => at + 8 + 2), Stop);
        // Two bytes of tid and info, eight of header: then a range's OID of type, then its lower bound.
        await surgery.On("screenings_no_overlap", path => Alter(path, IndexKind.Gist, screening, at => at + 8 + 1 + 4 + 5), Stop);
        await surgery.On("movies_tags_gin", path => AlterText(path, tag!), Stop);
        await surgery.Operate(Stop);

        var accused = (await Examine(database, Depth.Deep)).Findings.Select(finding => finding.Target.Object).Order().ToList();

        Assert.Contains("media_files_digest_hash", accused);
        Assert.Contains("screenings_no_overlap", accused);
        Assert.Contains("movies_tags_gin", accused);
        Assert.Equal(3, accused.Count);
    }

    private static void Alter(string path, IndexKind kind, Tid row, Func<int, int> where)
    {
        var (block, entry) = Surgery.Find(path, kind, row);
        StorageWard.Alter(path, block, seal: true, page => page[where(LinePointer.Read(page, entry.Item).Offset)] ^= 0x20);
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
