# frozen_string_literal: true

Rails.application.routes.draw do
  resource :login, only: :create
  resources :broadcasts, only: :create
  resources :remote_disconnects, only: :create
  resources :restarts, only: :create
  resource :version, only: :show
end
