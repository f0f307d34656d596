using System.Data.Common;
using System.Globalization;

namespace Kintsugi;

/// <summary>The server under care. Either half may be missing: SQL only (a managed service), files only (stopped, a backup, will not start).</summary>
public sealed record Patient(IReadSession? Sql, IPatientFiles? Files, Capabilities Can)
{
    /// <summary>The relations of the session's database; null where only files can be read.</summary>
    public Inventory? Inventory { get; init; }

    /// <summary>Checks that read in pieces account for every piece here (--max-rate).</summary>
    public Pace Pace { get; init; } = new(null, TimeProvider.System);

    /// <summary>Where a check that reads every page of a relation's files tells what they looked like; null where nobody asks.</summary>
    public Bodies? Bodies { get; init; }

    /// <summary>What the pages were when they were last proven; null where nothing is remembered.</summary>
    public IPageLedger? PageLedger { get; init; }

    /// <summary>Only what was accused is asked for: whether it is so still.</summary>
    public bool LooksAgain { get; init; }

    /// <summary>A server may be writing the files while they are read.</summary>
    public bool IsLive => Sql is not null || Can.ServerRuns;

    /// <summary>The session, for a check whose <see cref="Needs"/> say that it cannot do without.</summary>
    public IReadSession Session => Sql ?? throw new InvalidOperationException("this check needs a session: declare it in Needs");

    public Inventory Relations => Inventory ?? throw new InvalidOperationException("this check needs the inventory: declare it in Needs");
}

/// <summary>A session that is READ ONLY on the server, with search_path fixed, row security off and time limits set.</summary>
public interface IReadSession : IAsyncDisposable
{
    string Database { get; }
    int BackendPid { get; }

    /// <exception cref="PatientException">The server refused, or was lost.</exception>
    ValueTask<IReadOnlyList<T>> Rows<T>(string sql, Func<DbDataReader, T> read, CancellationToken cancellationToken, params object?[] parameters);

    /// <summary>Rows one by one, for results that must not lie in memory at once.</summary>
    IAsyncEnumerable<T> Stream<T>(string sql, Func<DbDataReader, T> read, CancellationToken cancellationToken, params object?[] parameters);

    /// <summary>
    /// Runs the statements in one transaction that always ends in ROLLBACK: for planner settings by SET LOCAL and probes under one MVCC snapshot.
    /// </summary>
    ValueTask<T> InTransaction<T>(string settings, Func<IReadSession, ValueTask<T>> work, CancellationToken cancellationToken);

    /// <summary>
    /// The same, and each statement ends after that time. A backend that heeds neither the server's limit nor a cancellation (it spins in a damaged
    /// index) is left behind and named in the exception.
    /// </summary>
    ValueTask<T> InTransaction<T>(string settings, TimeSpan limit, Func<IReadSession, ValueTask<T>> work, CancellationToken cancellationToken) =>
        InTransaction(string.Create(CultureInfo.InvariantCulture, $"{settings}; SET LOCAL statement_timeout = {limit.TotalMilliseconds:0}"), work, cancellationToken);
}

/// <summary>The files of a data directory, beside the server or without one. Paths are relative to the data directory.</summary>
public interface IPatientFiles
{
    /// <summary>The directory on this machine, or null when the files are read through the server.</summary>
    string? Directory { get; }
    bool Exists(string path);

    /// <returns>The length in bytes, or -1 when there is no such file.</returns>
    long Length(string path);

    /// <returns>Bytes read; fewer than asked for at the end of the file, 0 when there is no such file.</returns>
    ValueTask<int> Read(string path, long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Names of files and directories (these with a trailing slash) in that directory; empty when there is none.</summary>
    IReadOnlyList<string> List(string path);
}

/// <summary>The server said no, or talking to it failed. The code, never the text, is what callers act on.</summary>
public sealed class PatientException(string? sqlState, string message, Exception? inner = null) : Exception(message, inner)
{
    public string? SqlState { get; } = sqlState;
    public string? Detail { get; init; }

    /// <summary>The connection is gone: the backend died, was terminated, or the network broke.</summary>
    public bool ConnectionLost { get; init; }

    /// <summary>The server was shut down, is starting, or is not there: no statement of ours brought that about.</summary>
    public bool ServerAway { get; init; }
}
