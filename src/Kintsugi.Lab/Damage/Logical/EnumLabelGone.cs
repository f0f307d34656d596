namespace Kintsugi.Lab.Damage;

/// <summary>Rows hold an enum value whose label was deleted from pg_enum.</summary>
public sealed class EnumLabelGone() : SqlInjury(
    "enum-label-gone",
    "Somebody removed an enum label by hand, since ALTER TYPE has no DROP VALUE; rows still use it.",
    Faults.ValueNotInEnum, new InjuryTarget("public", "movies"),
    ["DELETE FROM pg_enum WHERE enumtypid = 'film_state'::regtype AND enumlabel = 'withdrawn'"],
    "SELECT count(*) > 0 FROM movies WHERE NOT (state = ANY (enum_range(NULL::film_state)))");
