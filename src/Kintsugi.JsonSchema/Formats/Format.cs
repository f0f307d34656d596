using System.Collections.Frozen;
using System.Text;

namespace Kintsugi.JsonSchema;

/// <summary>A format of validation 7.3, as a rule over a whole text.</summary>
internal sealed class Format(string name, Format.Rule holds)
{
    public delegate bool Rule(ReadOnlySpan<char> text);

    public static FrozenDictionary<string, Format> All { get; } = new[]
    {
        new Format("date-time", TimeFormats.DateTime),
        new Format("date", TimeFormats.Date),
        new Format("time", TimeFormats.Time),
        new Format("duration", TimeFormats.Duration),
        new Format("email", text => MailFormats.Mail(text, international: false)),
        new Format("idn-email", text => MailFormats.Mail(text, international: true)),
        new Format("hostname", HostFormats.Host),
        new Format("idn-hostname", HostFormats.InternationalHost),
        new Format("ipv4", AddressFormats.V4),
        new Format("ipv6", AddressFormats.V6),
        new Format("uri", text => UriFormats.Uri(text, relative: false, international: false)),
        new Format("uri-reference", text => UriFormats.Uri(text, relative: true, international: false)),
        new Format("iri", text => UriFormats.Uri(text, relative: false, international: true)),
        new Format("iri-reference", text => UriFormats.Uri(text, relative: true, international: true)),
        new Format("uri-template", TemplateFormat.Template),
        new Format("uuid", PointerFormats.Uuid),
        new Format("json-pointer", PointerFormats.Pointer),
        new Format("relative-json-pointer", PointerFormats.RelativePointer),
        new Format("regex", text => PointerFormats.Regex(text.ToString())),
    }.ToFrozenDictionary(format => format.Name, StringComparer.Ordinal);

    public string Name { get; } = name;

    public bool Holds(ReadOnlySpan<byte> utf8) => holds(Encoding.UTF8.GetString(utf8));
}
