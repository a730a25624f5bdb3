# frozen_string_literal: true

Rails.application.routes.draw do
  # The guide's controllers.
  resources :notifications, only: :create
  namespace(:health) { resource :cable, only: :show, controller: "cable" }

  # What the tests need.
  resource :version, only: :show
  resource :login, only: :create
  resources :messages, only: %i[ update destroy ]
  resources :announcements, only: :create
end
