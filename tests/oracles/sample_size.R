# Oracle of size and power for one AUC, from pROC's power.roc.test; writes sample_size.json.
# Run here: Rscript sample_size.R
# pROC types 1.414 for the square root of two, so these are values of the method 'obuchowski-proc'.
suppressMessages({
  library(pROC)
  library(jsonlite)
})
cells <- expand.grid(auc = c(0.55, 0.6, 0.697, 0.735, 0.767, 0.8, 0.9, 0.97, 0.3), kappa = c(0.2, 20 / 68, 1, 3.5),
                     power = c(0.8, 0.9), alternative = c("two.sided", "one.sided"), stringsAsFactors = FALSE)
sizes <- do.call(rbind, lapply(seq_len(nrow(cells)), function(i) with(cells[i, ], {
  size <- power.roc.test(auc = auc, kappa = kappa, power = power, sig.level = 0.05, alternative = alternative)
  data.frame(auc, ratio = kappa, power, alternative, n_pos = size$ncases, n_neg = size$ncontrols)
})))
# pROC keeps the sign of auc - 0.5, so below 0.5 only its sizes are usable, not its powers.
powers <- do.call(rbind, lapply(c(0.6, 0.735, 0.9), function(auc) do.call(rbind, lapply(c(12, 40, 88), function(n) {
  power <- power.roc.test(auc = auc, ncases = n, ncontrols = n + 7, sig.level = 0.05)$power
  data.frame(auc, n_pos = n, n_neg = n + 7, power)
}))))

# Exchanging the curves changes pROC's answer.
data(aSAH)
wfns <- roc(aSAH$outcome, aSAH$wfns, levels = c("Good", "Poor"), direction = "<")
s100b <- roc(aSAH$outcome, aSAH$s100b, levels = c("Good", "Poor"), direction = "<")
paired <- list(
  auc_wfns = as.numeric(wfns$auc), auc_s100b = as.numeric(s100b$auc),
  correlation = cov(wfns, s100b) / sqrt(var(wfns) * var(s100b)), ratio = length(wfns$controls) / length(wfns$cases),
  obuchowski_wfns_first = power.roc.test(wfns, s100b, power = 0.8, method = "obuchowski")$ncases,
  obuchowski_s100b_first = power.roc.test(s100b, wfns, power = 0.8, method = "obuchowski")$ncases)

write_json(list(made_by = list(R = R.version.string, pROC = as.character(packageVersion("pROC"))),
                sizes = sizes, powers = powers, paired = paired),
           "sample_size.json", digits = I(17), auto_unbox = TRUE, pretty = FALSE)
