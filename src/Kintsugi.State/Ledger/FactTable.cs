using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Data.Common;

namespace Kintsugi.State;

/// <summary>
/// The append-only facts. Each carries a SHA-256 over itself and the hash of the fact before it, so that a fact that was
/// changed, taken out or
/// put in breaks the chain from there on.
/// </summary>
internal static class FactTable
{
    private const string Columns = "number, case_id, server, kind, summary, data, at";

    public static Fact Append(DbConnection connection, Fact fact)
    {
        var (last, previous) = Sql.Rows(connection, "select number, hash from chain",
            row => (row.GetInt64(0), row.GetString(1)))[0];
        var number = last + 1;
        var at = Sql.Time(fact.At);
        var digest = Digest(fact.Data);
        var hash = Link(previous, number, fact.Case, fact.Server, fact.Kind, fact.Summary, digest, at);
        Sql.Run(connection,
            $"insert into facts ({Columns}, data_sha256, hash) values (@number, @case, @server, @kind, @summary, @data, @at, "
                + "@digest, @hash)",
            ("@number", number), ("@case", fact.Case), ("@server", fact.Server), ("@kind", fact.Kind), ("@summary", fact.Summary),
            ("@data", fact.Data), ("@at", at), ("@digest", digest), ("@hash", hash));
        Sql.Run(connection, "update chain set number = @number, hash = @hash", ("@number", number), ("@hash", hash));
        return fact with { Number = number };
    }

    public static List<Fact> Of(DbConnection connection, string caseId) => Sql.Rows(
        connection, $"select {Columns} from facts where case_id = @case order by number", Read, ("@case", caseId));

    public static List<Fact> OfKinds(DbConnection connection, string server, string first, string second) => Sql.Rows(
        connection, $"select {Columns} from facts where server = @server and kind in (@first, @second) order by number", Read,
        ("@server", server), ("@first", first), ("@second", second));

    public static List<Fact> All(DbConnection connection) =>
        Sql.Rows(connection, $"select {Columns} from facts order by number", Read);

    /// <summary>Walks the chain from its beginning.</summary>
    /// <returns>What is wrong at the first fact that does not fit, or null.</returns>
    public static string? FirstBreak(DbConnection connection)
    {
        var links = Sql.Rows(connection, $"select {Columns}, data_sha256, hash from facts order by number",
            row => (Fact: Read(row), Digest: row.GetString(7), Hash: row.GetString(8)));
        var (number, previous) = (0L, "");
        foreach (var (fact, digest, hash) in links)
        {
            if (fact.Number != ++number)
                return $"fact {number} is missing: the next one is {fact.Number}";
            if (digest != Digest(fact.Data))
                return $"the data of fact {number} (case {fact.Case}, {fact.Kind}) is not what was recorded";
            if (hash != Link(previous, number, fact.Case, fact.Server, fact.Kind, fact.Summary, digest, Sql.Time(fact.At)))
                return $"fact {number} (case {fact.Case}, {fact.Kind}) is not what was recorded, or the one before it was "
                    + "replaced";
            previous = hash;
        }
        var (last, head) = Sql.Rows(connection, "select number, hash from chain", row => (row.GetInt64(0), row.GetString(1)))[0];
        return (last, head) == (number, previous) ? null : $"{last} facts were recorded, {number} are there";
    }

    private static Fact Read(DbDataReader row) => new(
        row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5), Sql.Time(row.GetString(6)))
    {
        Number = row.GetInt64(0),
    };

    private static string Digest(string data) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(data)));

    private static string Link(string previous, long number, params ReadOnlySpan<string> fields)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(previous));
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(length, number);
        hash.AppendData(length);
        foreach (var field in fields)
        {
            // Lengths go in front: otherwise text could be moved from one field into the next without changing the sum.
            var bytes = Encoding.UTF8.GetBytes(field);
            BinaryPrimitives.WriteInt64BigEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
