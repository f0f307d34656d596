using Npgsql;
using NpgsqlTypes;

namespace Kintsugi.Postgres.Sessions;

/// <summary>Binds values to a statement with the types that the driver cannot tell without its type catalog.</summary>
internal static class SqlCommand
{
    public static NpgsqlCommand Create(NpgsqlConnection connection, string sql, object?[] parameters, int timeoutSeconds)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = timeoutSeconds };
        foreach (var value in parameters)
            command.Parameters.Add(Parameter(value));
        return command;
    }

    private static NpgsqlParameter Parameter(object? value) => value switch
    {
        null => new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Unknown },
        Untyped { Text: null } => new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Unknown },
        Untyped { Text: var text } => new NpgsqlParameter { Value = text, NpgsqlDbType = NpgsqlDbType.Unknown },
        uint oid => new NpgsqlParameter<uint> { TypedValue = oid, NpgsqlDbType = NpgsqlDbType.Oid },
        uint[] oids => new NpgsqlParameter<uint[]> { TypedValue = oids, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid },
        string text => new NpgsqlParameter<string> { TypedValue = text, NpgsqlDbType = NpgsqlDbType.Text },
        string[] texts => new NpgsqlParameter<string[]> { TypedValue = texts, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
        byte[] bytes => new NpgsqlParameter<byte[]> { TypedValue = bytes, NpgsqlDbType = NpgsqlDbType.Bytea },
        byte[][] many => new NpgsqlParameter<byte[][]> { TypedValue = many, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
        long[] numbers => new NpgsqlParameter<long[]> { TypedValue = numbers, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
        bool[] flags => new NpgsqlParameter<bool[]> { TypedValue = flags, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Boolean },
        int[] numbers => new NpgsqlParameter<int[]> { TypedValue = numbers, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer },
        long number => new NpgsqlParameter<long> { TypedValue = number },
        int number => new NpgsqlParameter<int> { TypedValue = number },
        bool flag => new NpgsqlParameter<bool> { TypedValue = flag },
        double number => new NpgsqlParameter<double> { TypedValue = number },
        _ => throw new ArgumentException($"parameters of type {value.GetType().Name} are not bound here", nameof(value)),
    };
}

/// <summary>A value that the server reads with the input function of the type that the statement gives it.</summary>
internal sealed record Untyped(string? Text);
