using System.Globalization;
using System.Net;
using System.Text;
using Kintsugi.Cli.Runtime;
using Kintsugi.Pages.Description;

namespace Kintsugi.Cli.Output;

/// <summary>A page as a picture: one document that needs nothing beside it. Every byte has its place, and what is wrong is red there and in the list.</summary>
internal static class PageHtml
{
    private const int RowBytes = 128, ByteWidth = 7, RowHeight = 12;

    private const string Style = """
        body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff } h1 { font-size: 1.3rem }
        .wrong { color: #b00020; font-weight: 600 } svg { max-width: 100%; height: auto; border: 1px solid #999 }
        summary, li, pre { font: 12px/1.6 ui-monospace, monospace } ul { list-style: none; padding-left: 1.2rem; margin: 0 }
        .at { display: inline-block; width: 3.5rem; color: #777 } .key span { display: inline-block; width: 1em; height: 1em; margin: 0 .3em 0 1em }
        """;

    /// <summary>By depth: a part is drawn over the whole that it belongs to.</summary>
    private static readonly string[] Colours = ["#8ab4d8", "#a8d5a2", "#f2d48f", "#d9b8e8"];

    private const string Free = "#f3f3f3", Unnamed = "#c4c4c4", Wrong = "#e53935";

    public static string Of(FetchedPage page, PageDescription description, bool hex)
    {
        var text = new StringBuilder();
        var title = WebUtility.HtmlEncode($"{description.Kind} page, block {page.Block}");
        text.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><style>\n{Style}\n</style>\n")
            .Append(CultureInfo.InvariantCulture, $"<h1>{title}</h1><p>{WebUtility.HtmlEncode(page.Source)}, as it is on disk</p>\n");
        if (description.Flaws.Count == 0)
            text.Append("<p>Nothing is wrong with it by itself.</p>\n");
        foreach (var flaw in description.Flaws)
            text.Append(CultureInfo.InvariantCulture, $"<p class=\"wrong\">WRONG: {WebUtility.HtmlEncode(flaw.Describe())}</p>\n");
        Picture(text, page.Bytes, description.Root);
        text.Append("<p class=\"key\">From the top left, 128 bytes a row:");
        foreach (var (colour, word) in new[] { (Colours[0], "header and line pointers"), (Colours[1], "their parts, and headers of items"), (Colours[2], "parts of those"), (Free, "zero"),
            (Unnamed, "not zero: values, or what is left of old ones"), (Wrong, "wrong") })
            text.Append(CultureInfo.InvariantCulture, $"<span style=\"background:{colour}\"></span>{word}");
        text.Append("</p>\n<ul>\n");
        foreach (var field in description.Root.Fields)
            List(text, field);
        text.Append("</ul>\n");
        if (hex)
            text.Append(CultureInfo.InvariantCulture, $"<pre>{WebUtility.HtmlEncode(string.Join('\n', PageOutput.Hex(page.Bytes)))}</pre>\n");
        return text.Append("</html>").ToString();
    }

    private static void Picture(StringBuilder text, byte[] bytes, PageField root)
    {
        var rows = (bytes.Length + RowBytes - 1) / RowBytes;
        text.Append(CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 0 {RowBytes * ByteWidth} {rows * RowHeight}\" width=\"{RowBytes * ByteWidth}\" role=\"img\" aria-label=\"the bytes of the page\">\n");
        Block(text, bytes.Length, 0, bytes.Length, Free, "zero");
        for (var at = 0; at < bytes.Length;)
        {
            var end = at;
            while (end < bytes.Length && bytes[end] != 0)
                end++;
            if (end > at)
                Block(text, bytes.Length, at, end - at, Unnamed, "not zero, and not taken apart");
            at = Math.Max(end, at + 1);
        }
        foreach (var field in root.Fields)
            Draw(text, bytes.Length, field, 0);
        text.Append("</svg>\n");
    }

    private static void Draw(StringBuilder text, int size, PageField field, int depth)
    {
        if (field.At >= 0 && field.Length > 0)
            Block(text, size, field.At, field.Length, field.Wrong.Count > 0 ? Wrong : Colours[Math.Min(depth, Colours.Length - 1)],
                string.Join("; ", [$"{field.At}: {field.Name}{(field.Value.Length > 0 ? $" = {field.Value}" : "")}", .. field.Wrong]));
        foreach (var part in field.Fields)
            Draw(text, size, part, depth + 1);
    }

    /// <summary>Bytes in reading order, a rectangle for each row that they touch. What lies outside of the page is cut.</summary>
    private static void Block(StringBuilder text, int size, int at, int length, string colour, string told)
    {
        var end = Math.Min(size, (long)at + length);
        for (var from = (long)at; from < end;)
        {
            var until = Math.Min(end, ((from / RowBytes) + 1) * RowBytes);
            text.Append(CultureInfo.InvariantCulture, $"<rect x=\"{from % RowBytes * ByteWidth}\" y=\"{from / RowBytes * RowHeight}\" width=\"{(until - from) * ByteWidth}\" ")
                .Append(CultureInfo.InvariantCulture, $"height=\"{RowHeight}\" fill=\"{colour}\" stroke=\"#fff\" stroke-width=\".5\"><title>{WebUtility.HtmlEncode(told)}</title></rect>\n");
            from = until;
        }
    }

    private static void List(StringBuilder text, PageField field)
    {
        var line = $"<span class=\"at\">{(field.At < 0 ? "" : field.At.ToString(CultureInfo.InvariantCulture))}</span>{WebUtility.HtmlEncode(field.Name)}"
            + (field.Value.Length > 0 ? $": {WebUtility.HtmlEncode(field.Value)}" : "")
            + string.Concat(field.Wrong.Select(wrong => $" <span class=\"wrong\">WRONG: {WebUtility.HtmlEncode(wrong)}</span>"));
        if (field.Fields.Count == 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"<li>{line}</li>\n");
            return;
        }
        text.Append(CultureInfo.InvariantCulture, $"<li><details{(IsWrong(field) ? " open" : "")}><summary>{line}</summary><ul>\n");
        foreach (var part in field.Fields)
            List(text, part);
        text.Append("</ul></details></li>\n");
    }

    private static bool IsWrong(PageField field) => field.Wrong.Count > 0 || field.Fields.Any(IsWrong);
}
