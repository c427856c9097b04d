# Oracle of the measures at one threshold and of McNemar's test; writes operating_point.json.
# Run here: Rscript operating_point.R
# Debian packages: r-cran-epir (likelihood ratios, odds ratio), r-cran-vcd (kappa), r-cran-jsonlite.
suppressMessages({
  library(epiR)
  library(vcd)
  library(jsonlite)
})
set.seed(20)

pair <- function(interval) unname(as.numeric(interval))
proportion <- function(k, n, level) list(
  k = k, n = n,
  wilson = pair(prop.test(k, n, correct = FALSE, conf.level = level)$conf.int),
  clopper_pearson = pair(binom.test(k, n, conf.level = level)$conf.int),
  jeffreys = c(if (k == 0) 0 else qbeta((1 - level) / 2, k + 0.5, n - k + 0.5),
               if (k == n) 1 else qbeta((1 + level) / 2, k + 0.5, n - k + 0.5))
)

# No cell is 0 here: epiR and this package treat zero cells differently.
table_of <- function(i) {
  n <- sample(c(30, 88, 388, 2000), 1)
  positive <- rbinom(n, 1, runif(1, 0.15, 0.85)) == 1
  called <- rbinom(n, 1, ifelse(positive, runif(1, 0.5, 0.95), runif(1, 0.05, 0.5))) == 1
  counts <- c(tp = sum(positive & called), fp = sum(!positive & called),
              tn = sum(!positive & !called), fn = sum(positive & !called))
  if (any(counts == 0)) table_of(i) else counts
}

accuracy <- lapply(1:60, function(i) {
  counts <- table_of(i)
  level <- sample(c(0.9, 0.95, 0.99), 1)
  dat <- matrix(counts[c("tp", "fp", "fn", "tn")], 2, byrow = TRUE)
  tests <- epi.tests(dat, conf.level = level)$detail
  rows <- setNames(lapply(c("lr.pos", "lr.neg", "diag.or", "youden"), function(name) {
    row <- tests[tests$statistic == name, ]
    c(row$est, row$lower, row$upper)
  }), c("lr_positive", "lr_negative", "odds_ratio", "youden_conservative"))
  kappa <- Kappa(dat)$Unweighted
  c(as.list(counts), list(confidence = level), rows,
    list(kappa = unname(kappa[1]), kappa_se = unname(kappa[2]), phi = cor(
      rep(c(1, 0, 0, 1), counts), rep(c(1, 1, 0, 0), counts))))
})

proportions <- lapply(1:60, function(i) {
  n <- sample(c(1, 5, 20, 68, 388, 5000), 1)
  level <- sample(c(0.9, 0.95, 0.99), 1)
  k <- sample(c(0, n, rbinom(4, n, runif(1))), 1)
  c(list(confidence = level), proportion(k, n, level))
})

mcnemar <- lapply(1:60, function(i) {
  b <- rpois(1, 6)
  c <- rpois(1, sample(c(2, 6, 30), 1))
  if (b + c == 0) b <- 1
  tab <- matrix(c(10, b, c, 10), 2)
  list(b = b, c = c, exact = binom.test(b, b + c)$p.value,
       asymptotic = mcnemar.test(tab, correct = FALSE)$p.value,
       corrected = mcnemar.test(tab, correct = TRUE)$p.value,
       mid_p = min(1, 2 * pbinom(min(b, c), b + c, 0.5) - dbinom(min(b, c), b + c, 0.5)))
})

made_by <- list(R = R.version.string, epiR = as.character(packageVersion("epiR")),
                vcd = as.character(packageVersion("vcd")))
write_json(list(made_by = made_by, accuracy = accuracy, proportions = proportions, mcnemar = mcnemar),
           "operating_point.json", digits = I(17), auto_unbox = TRUE, pretty = FALSE)
