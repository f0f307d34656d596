using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>How an answer about a declared constraint stands in the configuration, to be copied as it is.</summary>
internal static class OwnersChoice
{
    public static string Of(Finding finding, string constraint, string answer)
    {
        var name = string.Join('.', new[] { finding.Target.Schema ?? "", finding.Target.Relation ?? "", constraint }.Select(Plain));
        return $"consistency: {{ constraints: [ {{ constraint: '{name.Replace("'", "''", StringComparison.Ordinal)}', repair: {answer} }} ] }}";
    }

    /// <summary>As a person writes it, where that can be read back.</summary>
    private static string Plain(string name) =>
        name.Length > 0 && name.All(letter => letter is '_' or >= 'a' and <= 'z' or >= '0' and <= '9') && !char.IsAsciiDigit(name[0]) ? name : Quote.Identifier(name);
}
