namespace Kintsugi.JsonSchema;

/// <summary>A condition that holds wherever a rule is broken; when exact, only there. Not NULL for a value that is not.</summary>
internal readonly record struct Suspect(string Sql, bool IsExact)
{
    public const string True = "true";
    public const string False = "false";

    /// <summary>The rule cannot be broken.</summary>
    public static Suspect Never { get; } = new(False, true);

    /// <summary>The rule is always broken.</summary>
    public static Suspect Always { get; } = new(True, true);

    /// <summary>PostgreSQL cannot say: everything is suspect.</summary>
    public static Suspect Unknown { get; } = new(True, false);

    public static Suspect Exactly(string sql) => new(sql, true);

    /// <summary>Broken when any of the rules is.</summary>
    public static Suspect Any(IEnumerable<Suspect> parts)
    {
        var all = parts.Where(part => part.Sql != False).Distinct().ToList();
        if (all.Contains(Always))
            return Always;
        if (all.Any(part => part.Sql == True))
            return Unknown;
        return all.Count == 0 ? Never : new Suspect(Join(all, " OR "), all.TrueForAll(part => part.IsExact));
    }

    /// <summary>Broken when all of the rules are.</summary>
    public static Suspect All(IEnumerable<Suspect> parts)
    {
        var all = parts.ToList();
        if (all.Contains(Never))
            return Never;
        var exact = all.TrueForAll(part => part.IsExact);
        var open = all.Where(part => part.Sql != True).Distinct().ToList();
        return open.Count == 0 ? new Suspect(True, exact) : new Suspect(Join(open, " AND "), exact);
    }

    /// <summary>Broken where this is not; only an exact condition can be turned round.</summary>
    public Suspect Not() => !IsExact ? Unknown : Sql switch
    {
        True => Never,
        False => Always,
        _ => Exactly($"(NOT {Sql})"),
    };

    private static string Join(List<Suspect> parts, string word) =>
        parts.Count == 1 ? parts[0].Sql : $"({string.Join(word, parts.Select(part => part.Sql))})";
}
