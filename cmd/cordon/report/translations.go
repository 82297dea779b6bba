package report

// text is what a phrase is in the other languages.
type text struct{ fr, nl, de string }

// translations are those of all phrases. The official words: a policy is an interdiction, a verbod, a Verbot; an exception is a
// dérogation, an uitzondering, an Ausnahme; an agency is an organisme, an instantie, a Behörde.
var translations = map[phrase]text{
	"Report on the bans enforced through DNS": {
		"Rapport sur les interdictions appliquées par le DNS",
		"Verslag over de via DNS toegepaste verboden",
		"Bericht über die mittels DNS durchgesetzten Verbote",
	},
	"%[1]s to %[2]s": {"du %[1]s au %[2]s", "%[1]s tot en met %[2]s", "%[1]s bis %[2]s"},
	"Contents":       {"Table des matières", "Inhoud", "Inhalt"},
	"Summary":        {"Synthèse", "Samenvatting", "Zusammenfassung"},
	"Bans and recommendations in force": {
		"Interdictions et recommandations en vigueur", "Geldende verboden en aanbevelingen", "Geltende Verbote und Empfehlungen",
	},
	"Coverage":                 {"Champ d’application", "Toepassingsgebied", "Geltungsbereich"},
	"Refusals":                 {"Refus", "Weigeringen", "Abweisungen"},
	"Exceptions":               {"Dérogations", "Uitzonderingen", "Ausnahmen"},
	"Incidents":                {"Incidents", "Incidenten", "Störungen"},
	"Completeness of the data": {"Exhaustivité des données", "Volledigheid van de gegevens", "Vollständigkeit der Daten"},

	"all agencies":                    {"tous les organismes", "alle instanties", "alle Behörden"},
	"%[1]s and the agencies below it": {"%[1]s et les organismes qui en dépendent", "%[1]s en de instanties die ervan afhangen", "%[1]s und die ihr unterstellten Behörden"},
	"Concerns":                        {"Concerne", "Betreft", "Betrifft"},
	"Made on":                         {"Établi le", "Opgemaakt op", "Erstellt am"},
	"Policy in force":                 {"Empreinte des règles en vigueur", "Vingerafdruk van de geldende regels", "Prüfsumme der geltenden Regeln"},

	"Bans in force":                      {"Interdictions en vigueur", "Geldende verboden", "Geltende Verbote"},
	"Recommendations":                    {"Recommandations", "Aanbevelingen", "Empfehlungen"},
	"Agencies":                           {"Organismes", "Instanties", "Behörden"},
	"Queries refused":                    {"Requêtes refusées", "Geweigerde aanvragen", "Abgewiesene Anfragen"},
	"Queries observed":                   {"Requêtes observées", "Waargenomen aanvragen", "Beobachtete Anfragen"},
	"Queries allowed by an exception":    {"Requêtes admises par dérogation", "Bij uitzondering toegelaten aanvragen", "Durch Ausnahme zugelassene Anfragen"},
	"Exceptions in force":                {"Dérogations en vigueur", "Geldende uitzonderingen", "Geltende Ausnahmen"},
	"Data":                               {"Données", "Gegevens", "Daten"},
	"no data":                            {"pas de données", "geen gegevens", "keine Daten"},
	"the logs cover %[1]s of the period": {"les journaux couvrent %[1]s de la période", "de logboeken dekken %[1]s van de periode", "die Protokolle decken %[1]s des Zeitraums ab"},
	"verified: intact":                   {"vérifié : intègre", "gecontroleerd: intact", "geprüft: unversehrt"},
	"NOT intact":                         {"NON intègre", "NIET intact", "NICHT unversehrt"},

	"Enforced":      {"Appliquées", "Toegepast", "Durchgesetzt"},
	"Only observed": {"Observation seule", "Enkel waargenomen", "Nur beobachtet"},
	"Switched off":  {"Désactivées", "Uitgeschakeld", "Ausgeschaltet"},

	"No ban was in force in this period.": {
		"Aucune interdiction n’était en vigueur durant cette période.",
		"In deze periode gold geen enkel verbod.",
		"In diesem Zeitraum galt kein Verbot.",
	},
	"Ban": {"Interdiction", "Verbod", "Verbot"},
	"Recommendation (observed, not refused)": {
		"Recommandation (observée, pas refusée)", "Aanbeveling (waargenomen, niet geweigerd)", "Empfehlung (beobachtet, nicht abgewiesen)",
	},
	"Kind":           {"Nature", "Aard", "Art"},
	"Identifier":     {"Identifiant", "Kenmerk", "Kennung"},
	"Authority":      {"Autorité", "Beslissende overheid", "Entscheidende Stelle"},
	"Legal basis":    {"Base juridique", "Rechtsgrond", "Rechtsgrundlage"},
	"Decided on":     {"Décidée le", "Beslist op", "Beschlossen am"},
	"In force":       {"En vigueur", "Van kracht", "In Kraft"},
	"Prolonged":      {"Prorogation", "Verlenging", "Verlängerung"},
	"To be reviewed": {"À réévaluer le", "Te herzien op", "Zu überprüfen am"},
	"Only for":       {"Uniquement pour", "Enkel voor", "Nur für"},
	"Lists":          {"Listes", "Lijsten", "Listen"},
	"Contact":        {"Contact", "Contact", "Kontakt"},
	"on %[1]s, until %[2]s": {
		"le %[1]s, jusqu’au %[2]s inclus", "op %[1]s, tot en met %[2]s", "am %[1]s, bis einschließlich %[2]s",
	},
	"without beginning and end": {"sans limite dans le temps", "zonder beperking in de tijd", "zeitlich unbegrenzt"},
	"from %[1]s, without end":   {"depuis le %[1]s, sans terme", "vanaf %[1]s, zonder einddatum", "ab %[1]s, unbefristet"},
	"until %[1]s":               {"jusqu’au %[1]s", "tot en met %[1]s", "bis %[1]s"},
	"from %[1]s until %[2]s":    {"du %[1]s au %[2]s", "van %[1]s tot en met %[2]s", "vom %[1]s bis %[2]s"},

	"An agency has the bans of those above it, and its own. Enforced: the query is refused. Only observed: what a ban would refuse is answered " +
		"and counted; so is what a recommendation advises against.": {
		"Un organisme est soumis aux interdictions des organismes dont il dépend et aux siennes. Appliquées : la requête est refusée. " +
			"Observation seule : ce qu’une interdiction refuserait reçoit une réponse et est compté ; il en va de même de ce qu’une recommandation déconseille.",
		"Een instantie valt onder de verboden van de instanties waarvan ze afhangt en onder haar eigen verboden. Toegepast: de aanvraag wordt geweigerd. " +
			"Enkel waargenomen: wat een verbod zou weigeren, wordt beantwoord en geteld; zo ook wat een aanbeveling afraadt.",
		"Für eine Behörde gelten die Verbote der ihr übergeordneten Behörden und ihre eigenen. Durchgesetzt: Die Anfrage wird abgewiesen. " +
			"Nur beobachtet: Was ein Verbot abweisen würde, wird beantwortet und gezählt; ebenso das, wovon eine Empfehlung abrät.",
	},
	"Agency":   {"Organisme", "Instantie", "Behörde"},
	"Mode":     {"Mode", "Wijze", "Modus"},
	"Bans":     {"Interdictions", "Verboden", "Verbote"},
	"Networks": {"Réseaux", "Netwerken", "Netze"},
	"Agencies and lists are as they were when the report was made.": {
		"Les organismes et les listes sont ceux en vigueur à la date d’établissement du rapport.",
		"De instanties en lijsten zijn die van het ogenblik waarop het verslag werd opgemaakt.",
		"Behörden und Listen entsprechen dem Stand bei der Erstellung des Berichts.",
	},
	"List":                      {"Liste", "Lijst", "Liste"},
	"Source":                    {"Source", "Bron", "Quelle"},
	"Names":                     {"Noms", "Namen", "Namen"},
	"As of":                     {"Situation au", "Stand op", "Stand"},
	"State":                     {"État", "Toestand", "Zustand"},
	"names in the policy files": {"noms repris dans les règles", "namen in de regels", "Namen in den Regeln"},
	"part of the program":       {"intégrée au logiciel", "deel van de software", "Teil der Software"},
	"in force":                  {"en vigueur", "van kracht", "in Kraft"},
	"held":                      {"retenue", "aangehouden", "zurückgehalten"},
	"out of date":               {"périmée", "verouderd", "veraltet"},
	"absent":                    {"absente", "afwezig", "nicht vorhanden"},

	"Refused: the query was not answered, because of a ban. Observed: it was answered, but a ban would have refused it. " +
		"Exception: it was answered, because an exception allows it.": {
		"Refusées : la requête n’a pas reçu de réponse en raison d’une interdiction. Observées : elle a reçu une réponse, mais une interdiction l’aurait refusée. " +
			"Dérogation : elle a reçu une réponse parce qu’une dérogation l’autorise.",
		"Geweigerd: de aanvraag werd niet beantwoord wegens een verbod. Waargenomen: ze werd beantwoord, maar een verbod zou ze hebben geweigerd. " +
			"Uitzondering: ze werd beantwoord omdat een uitzondering dat toestaat.",
		"Abgewiesen: Die Anfrage wurde wegen eines Verbots nicht beantwortet. Beobachtet: Sie wurde beantwortet, ein Verbot hätte sie aber abgewiesen. " +
			"Ausnahme: Sie wurde beantwortet, weil eine Ausnahme es erlaubt.",
	},
	"* Incomplete: the logs cover only a part of that time.": {
		"* Incomplet : les journaux ne couvrent qu’une partie de ce temps.",
		"* Onvolledig: de logboeken dekken slechts een deel van die tijd.",
		"* Unvollständig: Die Protokolle decken nur einen Teil dieser Zeit ab.",
	},
	"No data: no log covers that time; this does not mean that nothing was refused.": {
		"Pas de données : aucun journal ne couvre ce temps ; cela ne signifie pas que rien n’a été refusé.",
		"Geen gegevens: geen logboek dekt die tijd; dat betekent niet dat er niets werd geweigerd.",
		"Keine Daten: Kein Protokoll deckt diese Zeit ab; das bedeutet nicht, dass nichts abgewiesen wurde.",
	},
	"By day":              {"Par jour", "Per dag", "Nach Tagen"},
	"By week":             {"Par semaine", "Per week", "Nach Wochen"},
	"By month":            {"Par mois", "Per maand", "Nach Monaten"},
	"Queries by day":      {"Requêtes par jour", "Aanvragen per dag", "Anfragen nach Tagen"},
	"Queries by week":     {"Requêtes par semaine", "Aanvragen per week", "Anfragen nach Wochen"},
	"Queries by month":    {"Requêtes par mois", "Aanvragen per maand", "Anfragen nach Monaten"},
	"Time":                {"Période", "Tijd", "Zeit"},
	"Refused":             {"Refusées", "Geweigerd", "Abgewiesen"},
	"Observed":            {"Observées", "Waargenomen", "Beobachtet"},
	"Exception":           {"Dérogation", "Uitzondering", "Ausnahme"},
	"Covered by the logs": {"Couvert par les journaux", "Gedekt door de logboeken", "Durch Protokolle abgedeckt"},
	"Total":               {"Total", "Totaal", "Summe"},
	"By agency":           {"Par organisme", "Per instantie", "Nach Behörde"},
	"By service":          {"Par service en ligne", "Per onlinedienst", "Nach Onlinedienst"},
	"Service":             {"Service en ligne", "Onlinedienst", "Onlinedienst"},
	"Each chart has its own scale.": {
		"Chaque graphique a sa propre échelle.", "Elke grafiek heeft haar eigen schaal.", "Jedes Diagramm hat seinen eigenen Maßstab.",
	},
	"In the period %[1]s queries were refused, %[2]s observed and %[3]s allowed by an exception; the most refusals: %[4]s (%[5]s).": {
		"Durant la période, %[1]s requêtes ont été refusées, %[2]s observées et %[3]s admises par dérogation ; maximum de refus : %[4]s (%[5]s).",
		"In de periode werden %[1]s aanvragen geweigerd, %[2]s waargenomen en %[3]s bij uitzondering toegelaten; meeste weigeringen: %[4]s (%[5]s).",
		"Im Zeitraum wurden %[1]s Anfragen abgewiesen, %[2]s beobachtet und %[3]s durch Ausnahme zugelassen; meiste Abweisungen: %[4]s (%[5]s).",
	},
	"No data for %[1]s part of it.":  {"Pas de données pour %[1]s partie de la période.", "Geen gegevens voor %[1]s deel ervan.", "Keine Daten für %[1]s Abschnitt."},
	"No data for %[1]s parts of it.": {"Pas de données pour %[1]s parties de la période.", "Geen gegevens voor %[1]s delen ervan.", "Keine Daten für %[1]s Abschnitte."},

	"No exception was in force in this period.": {
		"Aucune dérogation n’était en vigueur durant cette période.",
		"In deze periode gold geen enkele uitzondering.",
		"In diesem Zeitraum galt keine Ausnahme.",
	},
	"Reason and approval":           {"Motif et approbation", "Reden en goedkeuring", "Begründung und Genehmigung"},
	"Validity":                      {"Validité", "Geldigheid", "Gültigkeit"},
	"Use":                           {"Utilisation", "Gebruik", "Nutzung"},
	"Approved by %[1]s":             {"Approuvée par : %[1]s", "Goedgekeurd door: %[1]s", "Genehmigt von: %[1]s"},
	"In force in the period":        {"En vigueur durant la période", "Van kracht in de periode", "Im Zeitraum in Kraft"},
	"In the period":                 {"Durant la période", "In de periode", "Im Zeitraum"},
	"no longer in the policy files": {"ne figure plus dans les règles actuelles", "staat niet meer in de huidige regels", "nicht mehr in den geltenden Regeln"},
	"every ban":                     {"toute interdiction", "elk verbod", "jedes Verbot"},
	"lists: %[1]s":                  {"listes : %[1]s", "lijsten: %[1]s", "Listen: %[1]s"},
	"lifts: %[1]s":                  {"lève : %[1]s", "heft op: %[1]s", "hebt auf: %[1]s"},
	"for %[1]s name":                {"pour %[1]s nom", "voor %[1]s naam", "für %[1]s Namen"},
	"for %[1]s names":               {"pour %[1]s noms", "voor %[1]s namen", "für %[1]s Namen"},
	"for %[1]s address":             {"pour %[1]s adresse", "voor %[1]s adres", "für %[1]s Adresse"},
	"for %[1]s addresses":           {"pour %[1]s adresses", "voor %[1]s adressen", "für %[1]s Adressen"},
	"for %[1]s network":             {"pour %[1]s réseau", "voor %[1]s netwerk", "für %[1]s Netz"},
	"for %[1]s networks":            {"pour %[1]s réseaux", "voor %[1]s netwerken", "für %[1]s Netze"},
	"for the whole agency":          {"pour tout l’organisme", "voor de hele instantie", "für die ganze Behörde"},
	"for the whole agency and those below it": {
		"pour tout l’organisme et ceux qui en dépendent", "voor de hele instantie en die ervan afhangen", "für die ganze Behörde und die ihr unterstellten",
	},
	"Granted":    {"Accordée", "Toegekend", "Erteilt"},
	"Extended":   {"Prolongée", "Verlengd", "Verlängert"},
	"Lapsed":     {"Expirée", "Vervallen", "Abgelaufen"},
	"Revoked":    {"Retirée", "Ingetrokken", "Widerrufen"},
	"not used":   {"pas utilisée", "niet gebruikt", "nicht genutzt"},
	"%[1]s day":  {"%[1]s jour", "%[1]s dag", "%[1]s Tag"},
	"%[1]s days": {"%[1]s jours", "%[1]s dagen", "%[1]s Tage"},
	"The addresses of clients and the names that an exception lifts are left out on purpose. Days of use are counted in UTC.": {
		"Les adresses des clients et les noms levés par une dérogation sont omis à dessein. Les jours d’utilisation sont comptés en UTC.",
		"De adressen van de clients en de namen die een uitzondering vrijgeeft, zijn bewust weggelaten. De gebruiksdagen zijn geteld in UTC.",
		"Die Adressen der Clients und die durch eine Ausnahme freigegebenen Namen sind bewusst weggelassen. Die Nutzungstage sind in UTC gezählt.",
	},
	"Dedicated device":         {"Appareil dédié", "Toestel uitsluitend voor dit gebruik", "Ausschließlich dafür bestimmtes Gerät"},
	"Law enforcement":          {"Application de la loi", "Rechtshandhaving", "Strafverfolgung"},
	"National security":        {"Sécurité nationale", "Nationale veiligheid", "Nationale Sicherheit"},
	"Security research":        {"Recherche en sécurité", "Veiligheidsonderzoek", "Sicherheitsforschung"},
	"Oversight and inspection": {"Contrôle et inspection", "Toezicht en inspectie", "Aufsicht und Inspektion"},
	"Public communication":     {"Communication publique", "Overheidscommunicatie", "Öffentlichkeitsarbeit"},
	"Emergency":                {"Urgence", "Noodgeval", "Notfall"},

	"Policy changes that took effect":    {"Modifications des règles entrées en vigueur", "Van kracht geworden wijzigingen van de regels", "Wirksam gewordene Änderungen der Regeln"},
	"Changes rejected":                   {"Modifications rejetées", "Verworpen wijzigingen", "Zurückgewiesene Änderungen"},
	"Lists held":                         {"Listes retenues", "Aangehouden lijsten", "Zurückgehaltene Listen"},
	"Starts and stops":                   {"Démarrages / arrêts", "Starts / stops", "Starts / Stopps"},
	"Time that a server was not running": {"Temps d’arrêt d’un serveur", "Tijd dat een server stillag", "Stillstand eines Servers"},
	"Time without upstream":              {"Temps sans serveur amont", "Tijd zonder bovenliggende server", "Zeit ohne vorgelagerten Server"},
	"Entries missing from the logs":      {"Lignes manquantes dans les journaux", "Ontbrekende regels in de logboeken", "Fehlende Zeilen in den Protokollen"},
	"No data: no log covers this period.": {
		"Pas de données : aucun journal ne couvre cette période.", "Geen gegevens: geen logboek dekt deze periode.", "Keine Daten: Kein Protokoll deckt diesen Zeitraum ab.",
	},
	"The logs have no incident in this period.": {
		"Les journaux ne mentionnent aucun incident durant cette période.", "De logboeken vermelden geen incident in deze periode.", "Die Protokolle nennen keine Störung in diesem Zeitraum.",
	},
	"Incident": {"Incident", "Incident", "Störung"},
	"What":     {"Objet", "Voorwerp", "Gegenstand"},
	"Duration": {"Durée", "Duur", "Dauer"},
	"Held: the last good version stayed in force, so the bans went on. Incidents concern a server as a whole, not one agency.": {
		"Retenue ou rejetée : la dernière version valable est restée en vigueur, les interdictions ont donc continué de s’appliquer. " +
			"Les incidents concernent un serveur dans son ensemble, pas un organisme.",
		"Aangehouden of verworpen: de laatste geldige versie bleef van kracht, de verboden bleven dus gelden. " +
			"Incidenten betreffen een server als geheel, niet één instantie.",
		"Zurückgehalten oder zurückgewiesen: Die letzte gültige Fassung blieb in Kraft, die Verbote galten also weiter. " +
			"Störungen betreffen einen Server als Ganzes, nicht eine einzelne Behörde.",
	},
	"%[1]s more is left out.":  {"%[1]s autre n’est pas reprise.", "Nog %[1]s is niet opgenomen.", "%[1]s weitere ist nicht aufgeführt."},
	"%[1]s more are left out.": {"%[1]s autres ne sont pas repris.", "Nog %[1]s zijn niet opgenomen.", "%[1]s weitere sind nicht aufgeführt."},
	"none":                     {"néant", "geen", "keine"},
	"since %[1]s":              {"depuis le %[1]s", "sinds %[1]s", "seit %[1]s"},
	"less than a minute":       {"moins d’une minute", "minder dan een minuut", "weniger als eine Minute"},
	"%[1]s min":                {"%[1]s min", "%[1]s min.", "%[1]s Min."},
	"%[1]s h":                  {"%[1]s h", "%[1]s uur", "%[1]s Std."},
	"%[1]s entry missing":      {"%[1]s ligne manquante", "%[1]s ontbrekende regel", "%[1]s fehlende Zeile"},
	"%[1]s entries missing":    {"%[1]s lignes manquantes", "%[1]s ontbrekende regels", "%[1]s fehlende Zeilen"},
	"Change rejected":          {"Modification rejetée", "Wijziging verworpen", "Änderung zurückgewiesen"},
	"List held":                {"Liste retenue", "Lijst aangehouden", "Liste zurückgehalten"},
	"No upstream answered":     {"Aucun serveur amont ne répondait", "Geen bovenliggende server antwoordde", "Kein vorgelagerter Server antwortete"},
	"Server not running":       {"Serveur à l’arrêt", "Server lag stil", "Server nicht in Betrieb"},
	"Server ended without a stop": {
		"Serveur interrompu sans arrêt régulier", "Server onderbroken zonder regelmatige stop", "Server ohne geordnetes Beenden unterbrochen",
	},
	"Gap in the audit log": {"Lacune dans le journal d’audit", "Hiaat in het auditlogboek", "Lücke im Prüfprotokoll"},
	"No counts":            {"Absence de comptage", "Geen tellingen", "Keine Zählung"},
	"all names without a route of their own": {
		"tous les noms sans route propre", "alle namen zonder eigen route", "alle Namen ohne eigene Route",
	},

	"No audit log was read, so there are no counts and no incidents.": {
		"Aucun journal d’audit n’a été lu ; il n’y a donc ni comptages ni incidents.",
		"Er werd geen auditlogboek gelezen; er zijn dus geen tellingen en geen incidenten.",
		"Es wurde kein Prüfprotokoll gelesen; daher gibt es weder Zählungen noch Störungen.",
	},
	"Not everything could be taken in: %[1]s counts, %[2]s entries about exceptions, %[3]s incidents and %[4]s entries without a usable time " +
		"are left out.": {
		"Tout n’a pas pu être repris : %[1]s comptages, %[2]s lignes relatives à des dérogations, %[3]s incidents et %[4]s lignes sans heure utilisable sont omis.",
		"Niet alles kon worden opgenomen: %[1]s tellingen, %[2]s regels over uitzonderingen, %[3]s incidenten en %[4]s regels zonder bruikbaar tijdstip zijn weggelaten.",
		"Nicht alles konnte aufgenommen werden: %[1]s Zählungen, %[2]s Zeilen über Ausnahmen, %[3]s Störungen und %[4]s Zeilen ohne brauchbare Zeitangabe sind weggelassen.",
	},
	"The server counts queries, not persons, visits or devices: one app can ask hundreds of times an hour, and a device that got an answer " +
		"does not ask again for a while. Counts of an hour are of the day on which it begins.": {
		"Le serveur compte des requêtes, et non des personnes, des visites ou des appareils : une application peut en envoyer des centaines par heure, " +
			"et un appareil qui a reçu une réponse ne redemande pas pendant un moment. Les comptages d’une heure sont ceux du jour où elle commence.",
		"De server telt aanvragen, geen personen, bezoeken of toestellen: één app kan honderden keren per uur een aanvraag sturen, " +
			"en een toestel dat een antwoord kreeg, vraagt een tijdlang niet opnieuw. De tellingen van een uur horen bij de dag waarop het begint.",
		"Der Server zählt Anfragen, nicht Personen, Besuche oder Geräte: Eine App kann hunderte Male in der Stunde anfragen, " +
			"und ein Gerät, das eine Antwort erhalten hat, fragt eine Weile nicht erneut. Die Zählung einer Stunde gehört zu dem Tag, an dem sie beginnt.",
	},
	"This report has no address of a client and no name that was asked for; the server keeps neither in its audit log.": {
		"Ce rapport ne contient aucune adresse de client ni aucun nom demandé ; le serveur ne conserve ni l’un ni l’autre dans son journal d’audit.",
		"Dit verslag bevat geen enkel adres van een client en geen enkele opgevraagde naam; de server bewaart geen van beide in zijn auditlogboek.",
		"Dieser Bericht enthält weder die Adresse eines Clients noch einen angefragten Namen; der Server bewahrt beides nicht in seinem Prüfprotokoll auf.",
	},
	"intact: no line was altered, removed or inserted": {
		"intègre : aucune ligne n’a été modifiée, supprimée ou insérée",
		"intact: geen enkele regel werd gewijzigd, verwijderd of ingevoegd",
		"unversehrt: Keine Zeile wurde geändert, entfernt oder eingefügt",
	},
	"Audit log %[1]s": {"Journal d’audit %[1]s", "Auditlogboek %[1]s", "Prüfprotokoll %[1]s"},
	"Entries":         {"Lignes", "Regels", "Zeilen"},
	"%[1]s of the period, up to when the report was made": {
		"%[1]s de la période, jusqu’à l’établissement du rapport", "%[1]s van de periode, tot het opmaken van het verslag", "%[1]s des Zeitraums, bis zur Erstellung des Berichts",
	},
	"Has counts for":           {"Comptages disponibles pour", "Heeft tellingen voor", "Zählungen vorhanden für"},
	"Verified":                 {"Vérification", "Controle", "Prüfung"},
	"Hash of the last line":    {"Empreinte de la dernière ligne", "Vingerafdruk van de laatste regel", "Prüfsumme der letzten Zeile"},
	"Lines that can't be read": {"Lignes illisibles", "Onleesbare regels", "Unlesbare Zeilen"},
}
