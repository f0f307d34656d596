using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>One row exactly as it was: by place and version, and each column as its type writes it.</summary>
/// <param name="Place">ctid.</param>
/// <param name="Version">xmin.</param>
/// <param name="Hash">See <see cref="TableShape.Hash"/>.</param>
/// <param name="Values">The text of each column; null where it is NULL or where the bytes are no text.</param>
/// <param name="Raw">The output's bytes where they are no text, else null.</param>
internal sealed record RowImage(string Place, string Version, string Hash, IReadOnlyList<string?> Values, IReadOnlyList<byte[]?> Raw)
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Place, version, hash and all columns, to be completed with WHERE.</summary>
    public static string Select(TableShape shape) =>
        $"SELECT {shape.Table.Row}.ctid::pg_catalog.text, {shape.Table.Row}.xmin::pg_catalog.text, {shape.Hash}, "
        + $"{string.Join(", ", shape.Columns.Select(column => column.Output))} FROM {shape.Table.From}";

    public static RowImage Read(DbDataReader row)
    {
        var values = new string?[row.FieldCount - 3];
        var raw = new byte[]?[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            if (row.IsDBNull(i + 3))
                continue;
            var bytes = row.GetFieldValue<byte[]>(i + 3);
            if (Decode(bytes) is { } text)
                values[i] = text;
            else
                raw[i] = bytes;
        }
        return new RowImage(row.GetString(0), row.GetString(1), row.GetString(2), values, raw);
    }

    /// <summary>The text of those bytes, or null where they are not valid: such text would sicken the quarantine too.</summary>
    public static string? Decode(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>The key of the row for people; its place where it has none.</summary>
    public string Key(TableShape shape) => Json(json =>
    {
        for (var i = 0; i < Values.Count; i++)
            if (shape.Columns[i].InKey)
                Write(json, shape.Columns[i].Name, i);
        if (!shape.Key.Any())
            json.WriteString("ctid", Place);
    });

    /// <summary>The row for people.</summary>
    public string Display(TableShape shape) => Json(json =>
    {
        for (var i = 0; i < Values.Count; i++)
            Write(json, shape.Columns[i].Name, i);
    });

    private void Write(Utf8JsonWriter json, string name, int i)
    {
        // A number is told as one where JSON can hold it as it stands; anything else as text.
        if (Values[i] is { } text && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number.ToString(CultureInfo.InvariantCulture) == text)
            json.WriteNumber(name, number);
        else
            json.WriteString(name, Values[i] ?? (Raw[i] is { } bytes ? $"\\x{Convert.ToHexStringLower(bytes)}" : null));
    }

    private static string Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
