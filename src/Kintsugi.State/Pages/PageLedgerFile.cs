using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Kintsugi.State;

/// <summary>
/// The page ledger in a SQLite file of its own, about 0.1 % of what it remembers. It can be thrown away: then the next pass begins it anew. Opened
/// when it is first needed, so that a check that reads no files makes none, and kept open: a file that is closed is brought to the disk each time.
/// </summary>
public sealed class PageLedgerFile(string path, TimeProvider clock) : IPageLedger, IDisposable
{
    private const string Schema = """
        create table if not exists page_records (cluster text not null, path text not null, segment integer not null, relation integer not null,
            timeline integer not null, highest integer not null, pages blob not null, since text not null, seen text not null,
            primary key (cluster, path, segment)) strict;
        create index if not exists page_records_by_age on page_records (cluster, highest);
        create index if not exists page_records_by_relation on page_records (cluster, relation)
        """;

    private const string Columns = "path, segment, relation, timeline, highest, pages, since, seen";

    /// <summary>Files that no pass has met for so long belong to nobody any more.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(100);

    private readonly Lock gate = new();
    private SqliteConnection? open;
    private bool pruned;

    public DateTimeOffset Began { get; } = clock.GetUtcNow();

    /// <summary>Why it could not be used, or null. The checks go on without it: they only see less.</summary>
    public string? Problem { get; private set; }

    public ValueTask<IReadOnlyList<PageRecord>> Find(
        string cluster, IReadOnlyCollection<string> paths, int? segment, CancellationToken cancellationToken) =>
        Use<IReadOnlyList<PageRecord>>(connection =>
        {
            var found = new List<PageRecord>();
            using var command = Sql.Command(connection,
                $"select {Columns} from page_records where cluster = @cluster and path = @path and segment = coalesce(@segment, segment)",
                ("@cluster", cluster), ("@path", ""), ("@segment", segment));
            foreach (var path in paths)
            {
                command.Parameters[1].Value = path;
                using var reader = command.ExecuteReader();
                while (reader.Read())
                    found.Add(Read(reader));
            }
            return found;
        }, [], cancellationToken);

    public ValueTask<IReadOnlyList<PageRecord>> Younger(
        string cluster, ulong lsn, uint timeline, DateTimeOffset since, int most, CancellationToken cancellationToken) =>
        Use<IReadOnlyList<PageRecord>>(connection => Sql.Rows(connection,
            $"select {Columns} from page_records where cluster = @cluster and highest >= @lsn and timeline = @timeline and since <= @since order by highest limit @most",
            Read, ("@cluster", cluster), ("@lsn", (long)lsn), ("@timeline", (long)timeline), ("@since", Sql.Time(since)), ("@most", most)), [], cancellationToken);

    public ValueTask<IReadOnlyDictionary<string, FileStand>> Stands(string cluster, CancellationToken cancellationToken) =>
        Use<IReadOnlyDictionary<string, FileStand>>(connection => Sql.Rows(connection,
            "select path, max(relation), max(since), min(seen), max(highest) from page_records where cluster = @cluster group by path",
            row => new FileStand(row.GetString(0), (uint)row.GetInt64(1), Sql.Time(row.GetString(2)), Sql.Time(row.GetString(3)), (ulong)row.GetInt64(4)),
            ("@cluster", cluster)).ToDictionary(stand => stand.Path), new Dictionary<string, FileStand>(), cancellationToken);

    public async ValueTask Keep(string cluster, IReadOnlyCollection<PageRecord> records, CancellationToken cancellationToken)
    {
        if (records.Count == 0)
            return;
        if (!File.Exists(path))
            await new FileStream(path, PrivateFile.Create).DisposeAsync();
        await Use(connection =>
        {
            using var transaction = connection.BeginTransaction();
            Keep(connection, cluster, records);
            if (!pruned)
                Sql.Run(connection, "delete from page_records where cluster = @cluster and seen < @old",
                    ("@cluster", cluster), ("@old", Sql.Time(clock.GetUtcNow() - Forgotten)));
            transaction.Commit();
            // It reads every record: once a pass, not once for each hundred relations of it.
            pruned = true;
            return true;
        }, true, cancellationToken);
    }

    private static void Keep(SqliteConnection connection, string cluster, IReadOnlyCollection<PageRecord> records)
    {
        using var forget = Sql.Command(connection, "delete from page_records where cluster = @cluster and relation = @relation and path <> @path "
            + "and substr(path, 1, length(@folder)) = @folder", ("@cluster", cluster), ("@relation", 0), ("@path", ""), ("@folder", ""));
        using var keep = Sql.Command(connection, $"insert or replace into page_records (cluster, {Columns}) values (@cluster, @path, @segment, @relation, @timeline, "
            + "@highest, @pages, @since, @seen)", ("@cluster", cluster), ("@path", ""), ("@segment", 0), ("@relation", 0), ("@timeline", 0), ("@highest", 0),
            ("@pages", Array.Empty<byte>()), ("@since", ""), ("@seen", ""));
        foreach (var record in records)
        {
            Sql.Again(forget, cluster, (long)record.Relation, record.Path, record.Path[..(record.Path.LastIndexOf('/') + 1)]);
            Sql.Again(keep, cluster, record.Path, (long)record.Segment, (long)record.Relation, (long)record.Timeline, (long)record.HighestLsn,
                record.Pages.ToArray(), Sql.Time(record.Since), Sql.Time(record.Seen));
        }
    }

    private static PageRecord Read(DbDataReader row) => new(
        row.GetString(0), row.GetInt32(1), (uint)row.GetInt64(2), (uint)row.GetInt64(3), (ulong)row.GetInt64(4), row.GetFieldValue<byte[]>(5),
        Sql.Time(row.GetString(6)), Sql.Time(row.GetString(7)));

    private ValueTask<T> Use<T>(Func<SqliteConnection, T> work, T without, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            if (!File.Exists(path))
            {
                Close();
                return ValueTask.FromResult(without);
            }
            try
            {
                return ValueTask.FromResult(work(open ??= Open()));
            }
            catch (SqliteException problem)
            {
                Close();
                Problem = LedgerFile.Explain(problem, path).Message;
                return ValueTask.FromResult(without);
            }
        }
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 20 }.ToString());
        try
        {
            connection.Open();
            Sql.Run(connection, "pragma journal_mode = wal; pragma synchronous = normal");
            Sql.Run(connection, Schema);
            return connection;
        }
        catch (SqliteException)
        {
            connection.Dispose();
            throw;
        }
    }

    public void Dispose() => Close();

    /// <summary>Brings what was kept to the disk. It opens again when it is needed.</summary>
    public void Close()
    {
        lock (gate)
        {
            open?.Dispose();
            open = null;
        }
    }
}
