using CsCheck;
using Kintsugi.Configuration;

namespace Kintsugi.Engine.Tests.Configuration;

/// <summary>Whatever is in the file, reading it ends with a configuration or with mistakes, never with a crash.</summary>
public sealed class BadInputTests
{
    private static readonly Gen<string> Piece = From(
        "mode: heal\n", "  ", "- ", "{", "}", "[", "]", ": ", "\n", "&a ", "*a ", "!!str ", "? ", "| \n", "'", "\"", "#", "${env:X}",
        "database", "auto_healing", "targets", "consistency", "json", "schema", "policy", "row-orphaned", "auto", "name", "\t", "---\n",
        "null", "5", "😀", "<<: ", "%YAML 1.2\n", "column: a.b.c\n", "references", "keep");

    [Fact]
    public void Any_pile_of_pieces_reads_or_is_refused() =>
        Piece.Array[0, 30].Select(string.Concat).Sample(EndsWell, iter: 1500);

    [Fact]
    public void The_written_file_with_one_line_spoilt_reads_or_is_refused_at_a_place_in_it()
    {
        var lines = ConfigurationTemplate.Text.Split('\n');
        Gen.Select(Gen.Int[0, lines.Length - 1], Piece, Gen.Int[0, 12]).Sample((at, piece, column) =>
        {
            var spoilt = lines.ToArray();
            spoilt[at] = spoilt[at].Insert(Math.Min(column, spoilt[at].Length), piece);
            EndsWell(string.Join('\n', spoilt));
        }, iter: 400);
    }

    private static void EndsWell(string text)
    {
        if (new Reading().Read(text) is ConfigurationResult.Refused { Mistakes: var mistakes })
        {
            Assert.NotEmpty(mistakes);
            Assert.All(mistakes, mistake => Assert.InRange(mistake.Line, 1, text.Count(c => c == '\n') + 2));
        }
    }

    private static Gen<string> From(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(at => texts[at]);
}
