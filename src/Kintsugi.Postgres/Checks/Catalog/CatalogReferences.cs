namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>
/// Every reference between system catalogs of 13 to 18, as PostgreSQL declares them (BKI_LOOKUP in src/include/catalog;
/// pg_get_catalog_foreign_keys
/// on 14 and later). `?` zero is allowed, `[]` each element of an array. What this server does not have is left out by <see
/// cref="CatalogShape"/>.
/// </summary>
internal static class CatalogReferences
{
    /// <summary>
    /// Left out: pg_statistic.staop and stacoll (an operator may be dropped before the next ANALYZE), and pg_auth_members.grantor
    /// before 16
    /// (DROP ROLE did not look at it).
    /// </summary>
    public static IReadOnlyList<CatalogReference> Of(CatalogShape shape) =>
        [.. All.Where(reference => shape.Has(reference.Refers) && reference.Columns.All(column => shape.Has(reference.Catalog,
            column))
            && !(reference.Id == "pg_auth_members.grantor" && shape.Major < 16))];

    private static readonly IReadOnlyList<CatalogReference> All = [.. Text.Split('\n').SelectMany(Line)];

    private static IEnumerable<CatalogReference> Line(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var word in words.Skip(1))
        {
            var arrow = word.IndexOf('>', StringComparison.Ordinal);
            var columns = word[..arrow].TrimEnd('?');
            var array = columns.EndsWith("[]", StringComparison.Ordinal);
            yield return new CatalogReference(words[0], (array ? columns[..^2] : columns).Split(','), array,
                word[arrow - 1] == '?', word[(arrow + 1)..]);
        }
    }

    private const string Text = """
        pg_aggregate aggfnoid>pg_proc aggtransfn>pg_proc aggfinalfn?>pg_proc aggcombinefn?>pg_proc aggserialfn?>pg_proc
        pg_aggregate aggdeserialfn?>pg_proc aggmtransfn?>pg_proc aggminvtransfn?>pg_proc aggmfinalfn?>pg_proc aggsortop?>pg_operator
        pg_aggregate aggtranstype>pg_type aggmtranstype?>pg_type
        pg_am amhandler>pg_proc
        pg_amop amopfamily>pg_opfamily amoplefttype>pg_type amoprighttype>pg_type amopopr>pg_operator amopmethod>pg_am
        pg_amop amopsortfamily?>pg_opfamily
        pg_amproc amprocfamily>pg_opfamily amproclefttype>pg_type amprocrighttype>pg_type amproc>pg_proc
        pg_attrdef adrelid>pg_class adrelid,adnum>pg_attribute
        pg_attribute attrelid>pg_class atttypid?>pg_type attcollation?>pg_collation
        pg_auth_members roleid>pg_authid member>pg_authid grantor>pg_authid
        pg_cast castsource>pg_type casttarget>pg_type castfunc?>pg_proc
        pg_class relnamespace>pg_namespace reltype?>pg_type reloftype?>pg_type relowner>pg_authid relam?>pg_am
        pg_class reltablespace?>pg_tablespace reltoastrelid?>pg_class relrewrite?>pg_class
        pg_collation collnamespace>pg_namespace collowner>pg_authid
        pg_constraint connamespace>pg_namespace conrelid?>pg_class contypid?>pg_type conindid?>pg_class
        pg_constraint conparentid?>pg_constraint confrelid?>pg_class conpfeqop[]>pg_operator conppeqop[]>pg_operator
        pg_constraint conffeqop[]>pg_operator conexclop[]>pg_operator conrelid,conkey[]?>pg_attribute confrelid,confkey[]>pg_attribute
        pg_conversion connamespace>pg_namespace conowner>pg_authid conproc>pg_proc
        pg_database datdba>pg_authid dattablespace>pg_tablespace
        pg_db_role_setting setdatabase?>pg_database setrole?>pg_authid
        pg_default_acl defaclrole>pg_authid defaclnamespace?>pg_namespace
        pg_depend classid>pg_class refclassid>pg_class
        pg_description classoid>pg_class
        pg_enum enumtypid>pg_type
        pg_event_trigger evtowner>pg_authid evtfoid>pg_proc
        pg_extension extowner>pg_authid extnamespace>pg_namespace extconfig[]>pg_class
        pg_foreign_data_wrapper fdwowner>pg_authid fdwhandler?>pg_proc fdwvalidator?>pg_proc
        pg_foreign_server srvowner>pg_authid srvfdw>pg_foreign_data_wrapper
        pg_foreign_table ftrelid>pg_class ftserver>pg_foreign_server
        pg_index indexrelid>pg_class indrelid>pg_class indcollation[]?>pg_collation indclass[]>pg_opclass
        pg_index indrelid,indkey[]?>pg_attribute
        pg_inherits inhrelid>pg_class inhparent>pg_class
        pg_init_privs classoid>pg_class
        pg_language lanowner>pg_authid lanplcallfoid?>pg_proc laninline?>pg_proc lanvalidator?>pg_proc
        pg_largeobject loid>pg_largeobject_metadata
        pg_largeobject_metadata lomowner>pg_authid
        pg_namespace nspowner>pg_authid
        pg_opclass opcmethod>pg_am opcnamespace>pg_namespace opcowner>pg_authid opcfamily>pg_opfamily opcintype>pg_type
        pg_opclass opckeytype?>pg_type
        pg_operator oprnamespace>pg_namespace oprowner>pg_authid oprleft?>pg_type oprright?>pg_type oprresult?>pg_type
        pg_operator oprcom?>pg_operator oprnegate?>pg_operator oprcode?>pg_proc oprrest?>pg_proc oprjoin?>pg_proc
        pg_opfamily opfmethod>pg_am opfnamespace>pg_namespace opfowner>pg_authid
        pg_partitioned_table partrelid>pg_class partdefid?>pg_class partclass[]>pg_opclass partcollation[]?>pg_collation
        pg_partitioned_table partrelid,partattrs[]?>pg_attribute
        pg_policy polrelid>pg_class polroles[]?>pg_authid
        pg_proc pronamespace>pg_namespace proowner>pg_authid prolang>pg_language provariadic?>pg_type prosupport?>pg_proc
        pg_proc prorettype>pg_type proargtypes[]>pg_type proallargtypes[]>pg_type protrftypes[]>pg_type
        pg_publication pubowner>pg_authid
        pg_publication_namespace pnpubid>pg_publication pnnspid>pg_namespace
        pg_publication_rel prpubid>pg_publication prrelid>pg_class
        pg_range rngtypid>pg_type rngsubtype>pg_type rngmultitypid>pg_type rngcollation?>pg_collation rngsubopc>pg_opclass
        pg_range rngcanonical?>pg_proc rngsubdiff?>pg_proc
        pg_rewrite ev_class>pg_class
        pg_seclabel classoid>pg_class
        pg_sequence seqrelid>pg_class seqtypid>pg_type
        pg_shdepend dbid?>pg_database classid>pg_class refclassid>pg_class
        pg_shdescription classoid>pg_class
        pg_shseclabel classoid>pg_class
        pg_statistic starelid>pg_class starelid,staattnum>pg_attribute
        pg_statistic_ext stxrelid>pg_class stxnamespace>pg_namespace stxowner>pg_authid stxrelid,stxkeys[]>pg_attribute
        pg_statistic_ext_data stxoid>pg_statistic_ext
        pg_subscription subdbid>pg_database subowner>pg_authid
        pg_subscription_rel srsubid>pg_subscription srrelid>pg_class
        pg_tablespace spcowner>pg_authid
        pg_transform trftype>pg_type trflang>pg_language trffromsql?>pg_proc trftosql?>pg_proc
        pg_trigger tgrelid>pg_class tgparentid?>pg_trigger tgfoid>pg_proc tgconstrrelid?>pg_class tgconstrindid?>pg_class
        pg_trigger tgconstraint?>pg_constraint tgrelid,tgattr[]>pg_attribute
        pg_ts_config cfgnamespace>pg_namespace cfgowner>pg_authid cfgparser>pg_ts_parser
        pg_ts_config_map mapcfg>pg_ts_config mapdict>pg_ts_dict
        pg_ts_dict dictnamespace>pg_namespace dictowner>pg_authid dicttemplate>pg_ts_template
        pg_ts_parser prsnamespace>pg_namespace prsstart>pg_proc prstoken>pg_proc prsend>pg_proc prsheadline?>pg_proc
        pg_ts_parser prslextype>pg_proc
        pg_ts_template tmplnamespace>pg_namespace tmplinit?>pg_proc tmpllexize>pg_proc
        pg_type typnamespace>pg_namespace typowner>pg_authid typrelid?>pg_class typsubscript?>pg_proc typelem?>pg_type
        pg_type typarray?>pg_type typinput>pg_proc typoutput>pg_proc typreceive?>pg_proc typsend?>pg_proc typmodin?>pg_proc
        pg_type typmodout?>pg_proc typanalyze?>pg_proc typbasetype?>pg_type typcollation?>pg_collation
        pg_user_mapping umuser?>pg_authid umserver>pg_foreign_server
        """;
}
