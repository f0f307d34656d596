using Xunit;

namespace Kintsugi.Engine.Tests.JsonSchema;

public sealed class OfficialSuiteTests
{
    private const string Absent =
        "the JSON-Schema-Test-Suite does not lie beside this clone; looked in KINTSUGI_JSON_SCHEMA_SUITE and "
        + "../shared/data/json-schema-test-suite";

    private const string Joiner = "ZERO WIDTH NON-JOINER not preceded by Virama but matches regexp";
    private const string International = "idn-hostname.json: validation of internationalized host names";

    [Fact]
    public void Keeps_every_required_test_of_draft_2020_12() => AssertFailures("", assertFormat: false, []);

    [Fact]
    public void Keeps_the_optional_tests_but_these() => AssertFailures("optional", assertFormat: false,
    [
        // Older drafts are other languages; their documents are not given here and never fetched.
        "cross-draft.json: refs to historic drafts are processed as historic drafts: first item not a string is valid",
    ]);

    [Fact]
    public void Keeps_the_format_tests_but_these() => AssertFailures("optional/format", assertFormat: true,
    [
        // Joining types (RFC 5892 A.1) and the Bidi rule (RFC 5893) need Unicode tables that .NET does not carry.
        $"hostname.json: validation of A-label (punycode) host names: {Joiner}",
        $"{International}: {Joiner}",
        $"{International}: Bidi domain name with a digit-first label is invalid",
        $"{International}: label starting with a digit before a right-to-left letter is invalid",
        $"{International}: left-to-right label containing a right-to-left letter is invalid",
        $"{International}: right-to-left label mixing both digit types is invalid",
        $"{International}: A-label that decodes to a Bidi rule violation is invalid",
    ]);

    private static void AssertFailures(string folder, bool assertFormat, string[] known)
    {
        var suite = OfficialSuite.Find();
        Assert.SkipWhen(suite is null, Absent);
        var (tests, failures) = suite.Run(folder, assertFormat);
        Assert.True(tests > 100, $"only {tests} tests were found");
        Assert.Equal(string.Join('\n', known), string.Join('\n', failures.Select(failure => failure.Split(" (no schema: ")[0])));
    }
}
