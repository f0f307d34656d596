using System.Text.Json.Nodes;
using Kintsugi.Configuration.Reading;

namespace Kintsugi.Configuration.Shapes;

/// <summary>A password, token or connection: the text itself, <c>{ file: path }</c> or <c>{ env: NAME }</c>.</summary>
internal static class SecretText
{
    private static readonly Key<string?> File = new("file", Is.Path!, "A file that holds it; blanks and newlines at its end are cut off.");
    private static readonly Key<string?> Variable = new("env", Is.Text!, "An environment variable that holds it.");

    public static readonly Shape<Secret> Any = new Either<Secret>(
        new Scalar<Secret>("text, { file: … } or { env: … }", () => new() { ["type"] = "string", ["minLength"] = 1 }, Parse),
        new Mapping<Secret>([File, Variable], Refer));

    private static string? Parse(string text, ReadingContext reading, out Secret value)
    {
        value = new(text);
        return string.IsNullOrWhiteSpace(text) ? "expected text, { file: … } or { env: … }, found an empty text" : null;
    }

    private static Secret Refer(GivenValues values)
    {
        var file = values.Get(File);
        var variable = values.Get(Variable);
        if ((file is null) == (variable is null))
        {
            values.Mistake("give either file or env");
            return new("");
        }

        var text = file is not null ? FromFile(values, file) : values.Reading.Around.Variables.GetValueOrDefault(variable!);
        if (file is null && text is null)
        {
            values.Mistake(Variable, $"the environment variable {variable} is not set; set it where Kintsugi starts");
        }

        return new(text?.TrimEnd() ?? "");
    }

    private static string? FromFile(GivenValues values, string file)
    {
        var text = values.Reading.Around.ReadFile(file);
        if (string.IsNullOrWhiteSpace(text))
        {
            values.Mistake(File, text is null
                ? $"the file {file} is not there or cannot be read by this user"
                : $"the file {file} is empty");
        }

        return text;
    }
}
