# Oracle of the breast-cohort example: AUCs, DeLong intervals, paired and unpaired tests by pROC.
# Reads breast_cohorts_preds.csv.gz (preds_wide.csv of examples/breast_cohorts, gzipped), writes breast_cohorts.json.
# Run here: Rscript breast_cohorts.R
suppressMessages(library(pROC))
library(jsonlite)

preds <- read.csv("breast_cohorts_preds.csv.gz", check.names = FALSE)
labels <- c("ER", "PR")
models <- c("single-task", "multi-task")
sets <- c("train", "validation", "test")

# Higher scores are more positive, always: pROC's own detection of the direction is switched off.
curve <- function(set, label, model) {
  rows <- preds[preds$set == set, ]
  roc(rows[[label]], rows[[paste0(model, ":", label)]], levels = c(0, 1), direction = "<", quiet = TRUE)
}

individual <- do.call(rbind, lapply(sets, function(set) do.call(rbind, lapply(labels, function(label)
  do.call(rbind, lapply(models, function(model) {
    r <- curve(set, label, model)
    ci <- ci.auc(r, method = "delong")
    data.frame(set, label, model, n_pos = length(r$cases), n_neg = length(r$controls), auc = as.numeric(r$auc),
               variance = var(r, method = "delong"), ci_low = ci[1], ci_high = ci[3])
  }))))))

paired <- do.call(rbind, lapply(sets, function(set) do.call(rbind, lapply(labels, function(label) {
  test <- roc.test(curve(set, label, models[1]), curve(set, label, models[2]), method = "delong", paired = TRUE)
  data.frame(set, label, model_a = models[1], model_b = models[2], statistic = unname(test$statistic),
             ci_low = test$conf.int[1], ci_high = test$conf.int[2], p_value = test$p.value)
}))))
paired$p_holm <- ave(paired$p_value, paired$set, FUN = function(p) p.adjust(p, "holm"))

pairs_of_sets <- list(c("train", "validation"), c("train", "test"), c("validation", "test"))
unpaired <- do.call(rbind, lapply(pairs_of_sets, function(pair) do.call(rbind, lapply(labels, function(label)
  do.call(rbind, lapply(models, function(model) {
    test <- roc.test(curve(pair[1], label, model), curve(pair[2], label, model), method = "delong", paired = FALSE)
    data.frame(label, model, set_a = pair[1], set_b = pair[2], statistic = unname(test$statistic),
               df = unname(test$parameter), p_value = test$p.value)
  }))))))

write_json(
  list(made_with = list(R = as.character(getRversion()), pROC = as.character(packageVersion("pROC"))),
       individual = individual, paired = paired, unpaired = unpaired),
  "breast_cohorts.json", digits = NA, pretty = TRUE, auto_unbox = TRUE)
