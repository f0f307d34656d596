using Kintsugi.Postgres.Checks.Values;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// SQL that gives a column's text with each byte that is no part of a valid UTF-8 character replaced by U+FFFD (Unicode, 3.9, "U+FFFD
/// substitution"). The old bytes are in quarantine.
/// </summary>
internal static class MendedText
{
    private const string Replacement = "efbfbd";

    public static string Of(TableColumn column) => $"""
        (SELECT pg_catalog.convert_from(pg_catalog.decode(coalesce(pg_catalog.string_agg(coalesce(piece.match[1], '{Replacement}'), '' ORDER BY piece.place), ''), 'hex'), 'UTF8')
        FROM pg_catalog.regexp_matches(pg_catalog.encode(pg_catalog.textsend({column.Reference}), 'hex'),
        '({EncodingGrammar.Utf8Character}+)|..', 'g') WITH ORDINALITY piece(match, place))
        """.ReplaceLineEndings(" ");
}
